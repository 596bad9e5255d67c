// Reads a ModelConfig from the metadata of a GGUF file.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "files/gguf.hpp"
#include "model/families.hpp"
#include "model/rope.hpp"

namespace rung {
namespace {

/// The metadata of one architecture: keys without their prefix. Remembers which ones were asked for.
struct Keys {
  const Gguf& gguf;
  std::string prefix;
  mutable std::set<std::string> asked = {};

  std::string name(std::string_view key) const {
    return *asked.insert(fmt::format("{}.{}", prefix, key)).first;
  }
  bool has(std::string_view key) const { return gguf.has(name(key)); }

  int size(std::string_view key) const {
    const std::uint64_t value = gguf.get_u64(name(key));
    constexpr int kMost = std::numeric_limits<int>::max();
    if (value > static_cast<std::uint64_t>(kMost)) {
      fail("{}: metadata '{}' is {}; at most {} is possible", gguf.path(), name(key), value, kMost);
    }
    return static_cast<int>(value);
  }
  int size(std::string_view key, int otherwise) const { return has(key) ? size(key) : otherwise; }
  float number(std::string_view key, double otherwise) const {
    return static_cast<float>(gguf.get_f64(name(key), otherwise));
  }
};

int vocab_size(const Keys& keys) {
  if (keys.has("vocab_size")) return keys.size("vocab_size");
  const GgufTensor* embedding = keys.gguf.find_tensor("token_embd.weight");
  if (embedding == nullptr) fail("{}: tensor 'token_embd.weight' is missing", keys.gguf.path());
  return static_cast<int>(std::min<std::int64_t>(embedding->view.rows, std::numeric_limits<int>::max()));
}

/// Features that a file of a supported family can ask for and that this engine does not have.
void refuse_unsupported(const Keys& keys) {
  const std::string& path = keys.gguf.path();
  for (const char* key : {"expert_shared_count", "expert_group_count", "leading_dense_block_count"}) {
    if (keys.size(key, 0) != 0) fail("{}: metadata '{}' is not supported", path, keys.name(key));
  }
  constexpr int kSoftmax = 1;  // llama_expert_gating_func_type
  if (keys.size("expert_gating_func", kSoftmax) > kSoftmax) {
    fail("{}: a router without softmax (metadata '{}' is {}) is not supported", path,
         keys.name("expert_gating_func"), keys.size("expert_gating_func"));
  }
  if (!keys.gguf.get_bool(keys.name("attention.causal"), true) || keys.size("pooling_type", 0) != 0) {
    fail(
        "{}: this is a model of embeddings (metadata '{}' or '{}'), and such models are not supported: it "
        "does not "
        "generate text",
        path, keys.name("attention.causal"), keys.name("pooling_type"));
  }
  if (keys.gguf.get_bool(keys.name("use_parallel_residual"), false)) {
    fail("{}: attention and feed-forward in parallel (metadata '{}') are not supported", path,
         keys.name("use_parallel_residual"));
  }
}

// Keys of llama.cpp (llama-arch.cpp) that change what a model computes, and that this engine does not have:
// without prefix, or the beginning of several. A value of 0 switches most of them off; of these, 1 does.
constexpr std::string_view kMathematics[] = {
    "altup.",
    "attention.clamp_kqv",
    "attention.indexer.",
    "attention.key_length_mla",
    "attention.kv_lora_rank",
    "attention.max_alibi_bias",
    "attention.output_scale",
    "attention.q_lora_rank",
    "attention.relative_buckets_count",
    "attention.shared_kv_layers",
    "attention.temperature_length",
    "attention.temperature_scale",
    "attention.value_length_mla",
    "activation_sparsity_scale",
    "embedding_length_per_layer_input",
    "expert_chunk_feed_forward_length",
    "expert_shared_feed_forward_length",
    "full_attention_interval",
    "hash_layer_count",
    "moe_every_n_layers",
    "nextn_predict_layers",
    "rescale_every_n_layers",
    "rope.dimension_sections",
    "rope.scaling.yarn_log_multiplier",
    "router_logit_softcapping",
    "shortconv.",
    "ssm.",
    "swin_norm",
    "time_",
    "token_shift_count",
    "wkv.",
    "xielu.",
};
constexpr std::string_view kNeutralAtOne[] = {"expert_weights_scale", "interleave_moe_layer_step",
                                              "rope.scaling.yarn_ext_factor"};
// And those that say nothing about the computation.
constexpr std::string_view kHarmless[] = {"rope.scaling.finetuned", "tensor_data_layout",
                                          "expert_feed_forward_length"};

bool is_one_of(std::string_view key, std::span<const std::string_view> list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view known) {
    return known.ends_with('.') || known.ends_with('_') ? key.starts_with(known) : key == known;
  });
}

/// Whether an entry is a number, or numbers, all equal to `value`.
bool is_only(const Gguf& gguf, const GgufEntry& entry, double value) {
  const std::string key(entry.key);
  switch (entry.type) {
    case GgufType::string:
      return false;
    case GgufType::boolean:
      return gguf.get_bool(key, true) == (value != 0);
    case GgufType::array: {
      if (entry.element_type == GgufType::string || entry.element_type == GgufType::f32 ||
          entry.element_type == GgufType::f64)
        return entry.count == 0;
      const auto values = gguf.int_array(key);
      return std::all_of(values.begin(), values.end(),
                         [&](std::int64_t v) { return static_cast<double>(v) == value; });
    }
    default:
      return gguf.get_f64(key, value) == value;
  }
}

/// What stands under the prefix and was not asked for: refused, or a note, or of no interest.
std::vector<std::string> notes_on_others(const Keys& keys) {
  std::vector<std::string> notes;
  for (const GgufEntry& entry : keys.gguf.entries()) {
    const std::string key(entry.key);
    if (!key.starts_with(keys.prefix + ".") || keys.asked.contains(key)) continue;
    const std::string_view name = std::string_view(key).substr(keys.prefix.size() + 1);
    const bool at_one = is_one_of(name, kNeutralAtOne);
    if (is_one_of(name, kMathematics) || at_one) {
      if (is_only(keys.gguf, entry, 0) || (at_one && is_only(keys.gguf, entry, 1))) continue;
      fail("{}: metadata '{}' ({}) changes what the model computes, and is not supported", keys.gguf.path(),
           key, keys.gguf.value_text(entry));
    }
    if (is_one_of(name, kHarmless)) continue;
    notes.push_back(fmt::format("metadata '{}' ({}) is not known here and has no effect", key,
                                keys.gguf.value_text(entry)));
  }
  return notes;
}

/// The values of a vector among the tensors; empty when there is none.
std::vector<float> factors(const Gguf& gguf, std::string_view name) {
  const GgufTensor* tensor = gguf.find_tensor(name);
  if (tensor == nullptr) return {};
  constexpr std::int64_t kMost = 1 << 16;  // more than any head has
  if (tensor->view.dtype != DType::f32 || tensor->view.size() > kMost) {
    fail("{}: tensor '{}' must be a vector of at most {} f32 numbers", gguf.path(), name, kMost);
  }
  std::vector<float> values(static_cast<std::size_t>(tensor->view.size()));
  std::memcpy(values.data(), tensor->view.data, tensor->view.bytes());  // the tensor may not be aligned
  return values;
}

/// A factor without a type is linear scaling; so is scale_linear, the only key that files of 2023 have.
RopeScaling scaling_of(const Keys& keys) {
  const bool factor = keys.has("rope.scaling.factor") || keys.has("rope.scale_linear");
  const std::string name = keys.gguf.get_string(keys.name("rope.scaling.type"), factor ? "linear" : "none");
  if (name == "none") return RopeScaling::none;
  if (name == "linear") return RopeScaling::linear;
  if (name == "yarn") return RopeScaling::yarn;
  if (name == "longrope") return RopeScaling::longrope;
  fail("{}: RoPE scaling of type '{}' (metadata '{}') is not supported; none, linear, yarn and longrope are",
       keys.gguf.path(), name, keys.name("rope.scaling.type"));
}

RopeConfig read_rope(const Keys& keys, int context_length) {
  RopeConfig rope;
  rope.theta = keys.number("rope.freq_base", 10000.0);
  rope.scaling = scaling_of(keys);
  rope.original_context = keys.size("rope.scaling.original_context_length", context_length);
  const double stretch = rope.original_context > 0 ? double{1} * context_length / rope.original_context : 1;
  rope.factor = keys.number(keys.has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear",
                            rope.scaling == RopeScaling::none ? 1.0 : stretch);
  rope.beta_fast = keys.number("rope.scaling.yarn_beta_fast", 32);
  rope.beta_slow = keys.number("rope.scaling.yarn_beta_slow", 1);
  rope.factors =
      factors(keys.gguf, "rope_freqs.weight");  // Llama 3.1: its scaling, worked out by the converter
  if (keys.gguf.find_tensor("rope_factors_short.weight") != nullptr) {
    rope.scaling = RopeScaling::longrope;
    rope.factors = factors(keys.gguf, "rope_factors_short.weight");
    rope.long_factors = factors(keys.gguf, "rope_factors_long.weight");
  }
  rope.attention_factor =
      keys.number("rope.scaling.attn_factor",
                  rope.scaling == RopeScaling::longrope
                      ? double{default_attention_factor(rope.scaling, stretch, rope.original_context)}
                      : 1.0);
  // GGUF's factor for YaRN comes on top of the paper's.
  if (rope.scaling == RopeScaling::yarn) {
    rope.attention_factor *= default_attention_factor(rope.scaling, rope.factor, rope.original_context);
  }
  return rope;
}

/// Which layers see a window only, and which of two RoPEs they use. The files of most families say only
/// how wide the window is: the pattern is part of the architecture (llama.cpp, llama-model.cpp).
std::vector<LayerAttention> read_layers(const Keys& keys, const Family& family, int layers,
                                        int context_length) {
  constexpr int kMost = 1 << 16;
  std::vector<LayerAttention> result(static_cast<std::size_t>(std::clamp(layers, 0, kMost)));
  const bool gemma3 = family.gguf_name == "gemma3", olmo2 = family.gguf_name == "olmo2";
  int window = keys.size("attention.sliding_window", family.gguf_name == "gemma2" ? 4096 : 0);
  if (window >= context_length && !gemma3) window = 0;
  const std::string pattern_key = keys.name("attention.sliding_window_pattern");
  const bool listed = keys.gguf.has(pattern_key) && keys.gguf.find(pattern_key)->type == GgufType::array;
  const std::vector<std::int64_t> list =
      listed ? keys.gguf.int_array(pattern_key) : std::vector<std::int64_t>{};
  if (listed && list.size() < result.size()) {
    fail("{}: metadata '{}' has {} entries for {} layers", keys.gguf.path(), pattern_key, list.size(),
         layers);
  }
  // Of every `period` layers the last one sees everything; 1: none sees a window, 0: all do.
  const int period = !listed && keys.gguf.has(pattern_key) ? keys.size("attention.sliding_window_pattern")
                     : olmo2                               ? 4  // OLMo 3, which goes by the same name
                                                           : family.window_period;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const bool full = listed ? list[i] == 0 : period != 0 && (static_cast<int>(i) + 1) % period == 0;
    if (!full) result[i].window = window;
    if ((gemma3 || (olmo2 && window != 0)) && !full) result[i].rope = LayerAttention::Rope::local;
    // SmolLM 3: every fourth layer has no positions at all.
    if (family.gguf_name == "smollm3" && (i + 1) % 4 == 0) result[i].rope = LayerAttention::Rope::none;
  }
  return result;
}

/// What Gemma's largest models do otherwise than the rest: they scale by dim / heads, not by head_dim.
double attention_width(const ModelConfig& config) {
  const bool by_dim = (config.architecture == "gemma2" && config.layers == 46) ||
                      (config.architecture == "gemma3" && config.layers == 62);
  return by_dim && config.heads > 0 ? double{1} * config.dim / config.heads : config.head_dim;
}

}  // namespace

ModelConfig config_from_gguf(const Gguf& gguf) {
  const std::string architecture = gguf.get_string("general.architecture");
  const Keys keys{gguf, architecture};
  const Family& family = family_of_gguf(gguf.path(), architecture, keys.size("expert_count", 0) != 0);
  refuse_unsupported(keys);

  ModelConfig config;
  config.architecture = architecture;
  config.family = &family;
  config.name = gguf.get_string("general.name", "");
  config.vocab_size = vocab_size(keys);
  config.dim = keys.size("embedding_length");
  config.layers = keys.size("block_count");
  config.heads = keys.size("attention.head_count");
  config.kv_heads = keys.size("attention.head_count_kv", config.heads);
  config.head_dim = keys.size("attention.key_length", config.heads > 0 ? config.dim / config.heads : 0);
  if (keys.size("attention.value_length", config.head_dim) != config.head_dim) {
    fail("{}: keys of {} and values of {} elements per head are not supported; they must be equal",
         gguf.path(), config.head_dim, keys.size("attention.value_length"));
  }
  config.ffn_dim = keys.size("feed_forward_length");
  config.experts = keys.size("expert_count", 0);
  config.experts_per_token = config.experts != 0 ? keys.size("expert_used_count") : 0;
  config.normalize_expert_weights = gguf.get_bool(keys.name("expert_weights_norm"), true);
  config.context_length = keys.size("context_length");
  config.norm = family.norm;
  config.norm_eps = config.norm == NormKind::rms ? keys.number("attention.layer_norm_rms_epsilon", 1e-5)
                                                 : keys.number("attention.layer_norm_epsilon", 1e-5);
  config.activation = family.activation;
  config.gated_ffn = family.weights.has(Role::gate) || config.experts != 0;
  config.learned_positions = family.hf_names == HfNames::gpt2;
  config.rope = read_rope(keys, config.context_length);
  // Qwen's recipe for long texts adds YaRN and leaves the length as it was.
  if (config.rope.scaling == RopeScaling::yarn)
    config.context_length = std::max(config.context_length, stretched_context(config.rope));
  // Layers with a window have the plain RoPE, in Gemma 3 with a base of its own.
  config.rope_local.theta =
      keys.number("rope.freq_base_swa", architecture == "gemma3" ? 10000.0 : config.rope.theta);
  config.rotary_dim = config.learned_positions ? 0 : keys.size("rope.dimension_count", config.head_dim);
  config.rope_pairs = family.gguf_rope_pairs;
  config.layer_attention = read_layers(keys, *config.family, config.layers, config.context_length);
  config.attention_scale =
      keys.number("attention.scale", config.head_dim > 0 ? 1.0 / std::sqrt(attention_width(config)) : 0.0);
  config.attention_softcap = keys.number("attn_logit_softcapping", architecture == "gemma2" ? 50.0 : 0.0);
  config.logit_softcap = keys.number("final_logit_softcapping", architecture == "gemma2" ? 30.0 : 0.0);
  const bool gemma = architecture.starts_with("gemma");
  config.embedding_scale =
      keys.number("embedding_scale", gemma && config.dim > 0 ? std::sqrt(double{1} * config.dim) : 1.0);
  config.residual_scale = keys.number("residual_scale", 1.0);
  config.logit_scale = 1.0f / keys.number("logit_scale", 1.0);  // llama.cpp divides by it
  config.tied_embeddings = gguf.find_tensor("output.weight") == nullptr;
  config.notes = notes_on_others(keys);
  try {
    config.validate();
  } catch (const Error& error) {
    fail("{}: {}", gguf.path(), error.what());
  }
  return config;
}

}  // namespace rung
