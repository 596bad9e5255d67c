#include "engine/resolve.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/parallel.hpp"
#include "core/printable.hpp"
#include "core/process_memory.hpp"
#include "devices/cpu_device.hpp"
#include "seams/fusion.hpp"
#include "seams/linear.hpp"
#include "seams/loading.hpp"
#include "seams/one_token.hpp"
#include "seams/policy.hpp"
#include "seams/rope.hpp"
#include "seams/safetensors_index.hpp"
#include "seams/sampler.hpp"
#include "seams/tokenization.hpp"

namespace rung {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxContext = 1 << 24;
constexpr int kDefaultContext = 4096;
constexpr int kMostGuesses = 1024;

void check_range(const char* what, int value, int low, int high) {
  if (value < low || value > high) fail_usage("{} is {}; it must be from {} to {}", what, value, low, high);
}

/// Rejects options that cannot be combined with --sinks, which lets texts outgrow the context.
void check_sinks(const EngineConfig& config, const ModelConfig& model) {
  const int most = config.context - 2 * config.kv_block_size;
  if (config.sinks > most) {
    fail_usage("--sinks {} leaves no room in a context of {} with blocks of {}; use at most {}", config.sinks,
               config.context, config.kv_block_size, std::max(most, 0));
  }
  if (model.learned_positions)
    fail_usage(
        "--sinks: this model learned a vector for every position, so its keys cannot be moved; leave it out");
  if (config.device != "cpu") fail_usage("--sinks moves keys in host memory; it needs --device cpu");
  if (config.kv_budget != 0) {
    fail_usage(
        "--sinks and --kv-budget: dropped tokens cannot be computed again after a preemption; leave one out");
  }
  const std::string& kv = config.rung("kv");
  if (kv != kAuto && kv != "paged" && kv != "mine") {
    fail_usage(
        "--sinks drops blocks that no other sequence may read, which the KV cache '{}' cannot; use --kv "
        "paged",
        kv);
  }
  const std::string& prefixes = config.rung("prefix_cache");
  if (prefixes != kAuto && prefixes != "none") {
    fail_usage("--sinks moves keys, which a prefix cache keeps for others; use --set prefix_cache=none");
  }
}

/// Rejects options that cannot be combined with a rung of lesson 0, which computes one text in its own cache.
void check_one_token(const EngineConfig& config) {
  if (config.max_sequences != 1 || config.speculator != nullptr || config.sinks >= 0) {
    fail_usage(
        "--set one_token={}: lesson 0 computes one text at a time, without guesses and --sinks; run one "
        "request",
        config.rung(OneToken::kSeam));
  }
  const std::string& prefixes = config.rung("prefix_cache");
  if (prefixes != kAuto && prefixes != "none") {
    fail_usage("--set one_token={}: lesson 0 has its own keys and values; use --set prefix_cache=none",
               config.rung(OneToken::kSeam));
  }
}

/// Calls visit(rung, weight) for every product of a model.
template <class Visit>
void each_product(const Registry& registry, const EngineConfig& config, const Model& model, Visit&& visit) {
  const auto add = [&](const Tensor& weight) {
    const LinearConfig linear{weight, config.threads, config.max_step_tokens};
    visit(registry.ladder<Linear>().choose(config.rung("linear"), linear).info, weight);
  };
  for (const LayerWeights& w : model.weights.layers) {
    for (const Weight* weight : {&w.q, &w.k, &w.v, &w.attn_out, &w.router, &w.gate, &w.up, &w.down}) {
      if (!weight->empty()) add(weight->weight);
    }
    for (const ExpertWeights& expert : w.experts) {
      for (const Tensor& weight : {expert.gate, expert.up, expert.down}) add(weight);
    }
  }
  add(model.weights.output);
}

/// Makes the engine read the weights from the file if copies of them do not fit into memory. A model that is
/// larger than memory can run from its file, slowly, but not from copies.
void check_copies_fit(const Registry& registry, const Model& model, EngineConfig& config) {
  const std::string& choice = config.rung("linear");
  if ((choice != kAuto && choice != kFloat32) || config.cache_packed) return;
  double bytes = 0;
  each_product(registry, config, model, [&](const RungInfo& rung, const Tensor& weight) {
    if (rung.copies) bytes += static_cast<double>(weight.bytes());
  });
  const double budget = config.copy_budget != 0 ? config.copy_budget : available_memory();
  if (bytes <= budget) return;
  config.rungs["linear"] = kInPlace;
  if (!config.notice) return;
  config.notice(fmt::format(
      "copying the weights into the fastest layout would take {}, but only {} of memory are free; "
      "the weights are read from the file instead, which is slower",
      size_text(static_cast<std::uint64_t>(bytes)), size_text(static_cast<std::uint64_t>(budget))));
}

RopeStretchConfig rope_config(const EngineConfig& config, const ModelConfig& model) {
  return {model.rope, model.rotary_dim, model.context_length, config.context};
}

/// Returns the rung of the prefix cache. `auto` gives the best rung, or `none` if the KV cache cannot share
/// blocks. A KV cache of one block tells whether it can.
std::string resolve_prefix_cache(const Registry& registry, const EngineConfig& config,
                                 const ModelConfig& model, const std::string& kv) {
  const std::string& name = config.rung("prefix_cache");
  if (name == "none") return name;
  KvConfig small = kv_config(config, model, cpu_device());
  small.layers = small.max_sequences = 1;
  small.max_context = small.block_size;
  small.budget = 0;
  const auto cache = registry.ladder<KvCache>().make(kv, small);
  if (!cache->shares_blocks()) {
    if (name == kAuto) return "none";
    fail(
        "rung '{}' of seam prefix_cache lends blocks to several sequences, which this KV cache cannot do; "
        "choose --kv "
        "copy_on_write",
        name);
  }
  return registry.ladder<PrefixCache>().choose(name, prefix_cache_config(config)).info.name;
}

}  // namespace

Model load_with_rungs(const Registry& registry, const EngineConfig& config, const std::string& path) {
  const auto index = registry.ladder<SafetensorsIndex>().make(config.rung("safetensors_index"), {});
  const Rung<Loading>& rung = registry.ladder<Loading>().choose(config.rung("loading"), {});
  const std::unique_ptr<Loading> loading = rung.make({});
  LoadOptions options;
  options.safetensors = index.get();
  options.files = [&](const std::string& file) { return loading->open(file); };
  Model model = load_model(path, options);
  model.loading = rung.info.name;
  model.tokenizer = with_rung(registry, config.rung("tokenization"), model.tokenizer);
  return model;
}

std::shared_ptr<const Tokenizer> with_rung(const Registry& registry, const std::string& rung,
                                           std::shared_ptr<const Tokenizer> tokenizer) {
  if (rung == "auto") return tokenizer;
  auto with = tokenizer->with_merger(registry.ladder<Tokenization>().make(rung, {}));
  if (with == nullptr) {
    fail("rung '{}' of seam tokenization cannot be used: this tokenizer ({}) has no merge step; leave it out",
         rung, tokenizer->describe());
  }
  return with;
}

EngineConfig resolve_config(const Registry& registry, EngineConfig config, const Model& model) {
  if (config.threads == 0) config.threads = default_threads();
  if (config.context == 0) config.context = std::min(model.config.context_length, kDefaultContext);
  check_range("the number of threads", config.threads, 1, kMaxThreads);
  check_range("the context (--ctx)", config.context, 1, kMaxContext);
  check_range("the number of sequences", config.max_sequences, 1, 1 << 16);
  if (config.max_step_outputs == 0) {
    const int guesses = config.speculator != nullptr ? config.speculator->most() : 0;
    check_range("the number of guesses per step", guesses, 0, kMostGuesses);
    config.max_step_outputs = config.max_sequences * (1 + guesses);
  }
  check_range("the number of tokens per step", config.max_step_tokens, 1, 1 << 20);
  check_range("the number of logit rows per step", config.max_step_outputs, 1, 1 << 20);
  if (const int longest = longest_context(config, model.config); config.context > longest) {
    if (longest > model.config.context_length || model.config.learned_positions) {
      fail_usage("--ctx {} is longer than the {} tokens that are possible with this model; use at most that",
                 config.context, longest);
    }
    fail_usage(
        "--ctx {} is longer than the {} tokens that this model was trained for; use at most that, or stretch "
        "its positions with --set rope=yarn",
        config.context, longest);
  }
  if (const int block = traits(config.kv_type).block_elements; model.config.head_dim % block != 0) {
    fail_usage(
        "--kv-type {} keeps {} numbers together, but a head of this model has {}; use f32, f16, bf16 or "
        "f8_e4m3",
        traits(config.kv_type).name, block, model.config.head_dim);
  }
  if (config.sinks >= 0) {
    check_sinks(config, model.config);
    if (config.rung("kv") == kAuto)
      config.rungs["kv"] = "paged";  // a block whose keys are rotated may have only one owner
    config.rungs["prefix_cache"] = "none";
  }
  if (config.rung(OneToken::kSeam) != kAuto) {
    check_one_token(config);
    config.rungs["prefix_cache"] = "none";
  }
  check_range("the number of requests that may wait (--max-waiting)", config.max_waiting, 0, 1 << 30);
  if (config.preempt == PreemptMode::swap && config.swap_bytes == 0) {
    fail_usage(
        "--preempt swap needs host memory for the copies and there is none; say how much with --swap, or use "
        "--preempt recompute");
  }
  // All sequences together cannot fill more rows than this, so more rows would only waste memory.
  const std::int64_t rows = std::int64_t{config.max_sequences} * config.context;
  config.max_step_tokens = static_cast<int>(std::min<std::int64_t>(config.max_step_tokens, rows));
  config.max_step_outputs = std::min(config.max_step_outputs, config.max_step_tokens);
  registry.ladder<Linear>().check(config.rung("linear"));
  check_copies_fit(registry, model, config);
  return config;
}

std::map<std::string, std::string> resolve_rungs(const Registry& registry, const EngineConfig& config,
                                                 const Model& model) {
  for (const auto& [seam, rung] : config.rungs) {
    const LadderBase& ladder = registry.find(seam);
    ladder.check(rung);
  }
  std::map<std::string, std::string> chosen;
  chosen["attention"] = registry.ladder<Attention>()
                            .choose(config.rung("attention"), attention_config(config, model.config))
                            .info.name;
  chosen["kv"] = registry.ladder<KvCache>()
                     .choose(config.rung("kv"), kv_config(config, model.config, cpu_device()))
                     .info.name;
  chosen["prefix_cache"] = resolve_prefix_cache(registry, config, model.config, chosen["kv"]);
  chosen["scheduler"] =
      registry.ladder<Scheduler>().choose(config.rung("scheduler"), scheduler_config(config)).info.name;
  chosen["policy"] = registry.ladder<Policy>().choose(config.rung("policy"), {}).info.name;
  chosen["sampler"] =
      registry.ladder<Sampler>().choose(config.rung("sampler"), {model.config.vocab_size}).info.name;

  std::error_code ignored;
  if (std::filesystem::is_directory(model.path, ignored)) {  // otherwise no safetensors index was read
    chosen["safetensors_index"] =
        registry.ladder<SafetensorsIndex>().choose(config.rung("safetensors_index"), {}).info.name;
  }
  if (!model.loading.empty()) chosen["loading"] = model.loading;
  if (model.config.rotary_dim > 0) {
    chosen["rope"] = registry.ladder<RopeStretch>()
                         .choose(config.rung("rope"), rope_config(config, model.config))
                         .info.name;
  }

  // `auto` is the engine's own forward pass.
  if (const std::string seam(OneToken::kSeam); config.rung(seam) != kAuto)
    chosen[seam] = registry.ladder<OneToken>().choose(config.rung(seam), {}).info.name;

  // load_with_rungs() has already applied this rung; with `auto` the tokenizer keeps its own merge step.
  if (config.rung("tokenization") != "auto") chosen["tokenization"] = config.rung("tokenization");

  const Ops none;  // the choice of a rung does not depend on the content of the table
  chosen["fusion"] = registry.ladder<Fusion>()
                         .choose(config.rung("fusion"), fusion_config(config, model.config, none, &none, {}))
                         .info.name;

  std::set<std::string> products;
  each_product(registry, config, model,
               [&](const RungInfo& rung, const Tensor&) { products.insert(rung.name); });
  for (const std::string& name : products) {
    std::string& all = chosen["linear"];
    all += (all.empty() ? "" : "+") + name;
  }
  return chosen;
}

int longest_context(const EngineConfig& config, const ModelConfig& model) {
  const std::string& rung = config.rung("rope");
  const bool stretched =
      rung != "auto" && rung != "model" && !model.learned_positions && model.rotary_dim > 0;
  return static_cast<int>(std::min<std::int64_t>(
      kMaxContext, std::int64_t{model.context_length} * (stretched ? kMostStretch : 1)));
}

RopeFrequencies resolve_rope(const Registry& registry, const EngineConfig& config, const ModelConfig& model) {
  return registry.ladder<RopeStretch>().make(config.rung("rope"), rope_config(config, model))->frequencies();
}

FusionConfig fusion_config(const EngineConfig& config, const ModelConfig& model, const Ops& ops,
                           const Ops* tile, const Workplace& place) {
  FusionConfig fusion;
  fusion.place = place;
  fusion.ops = &ops;
  fusion.tile = tile;
  fusion.threads = config.threads;
  fusion.max_tokens = config.max_step_tokens;
  fusion.activation = model.activation;
  return fusion;
}

KvConfig kv_config(const EngineConfig& config, const ModelConfig& model, Device& device) {
  KvConfig kv;
  kv.layers = model.layers;
  kv.kv_heads = model.kv_heads;
  kv.head_dim = model.head_dim;
  kv.max_sequences = config.max_sequences;
  kv.max_context = config.context;
  kv.dtype = config.kv_type;
  kv.device = &device;
  kv.block_size = config.kv_block_size;
  kv.budget = config.kv_budget;
  return kv;
}

PrefixCacheConfig prefix_cache_config(const EngineConfig& config) {
  return {config.kv_block_size, config.eviction};
}

SchedulerConfig scheduler_config(const EngineConfig& config) {
  return {config.max_sequences, config.max_step_tokens, config.max_step_outputs, config.batch_window_s};
}

AttentionConfig attention_config(const EngineConfig& config, const ModelConfig& model) {
  AttentionConfig attention;
  attention.heads = model.heads;
  attention.kv_heads = model.kv_heads;
  attention.head_dim = model.head_dim;
  attention.scale = model.attention_scale;
  attention.softcap = model.attention_softcap;
  attention.threads = config.threads;
  attention.kv_dtype = config.kv_type;
  attention.max_context = config.context;
  attention.max_tokens = config.max_step_tokens;
  return attention;
}

RequestLimits request_limits(const EngineConfig& config, const ModelConfig& model) {
  return {model.vocab_size, config.context, model.context_length};
}

}  // namespace rung
