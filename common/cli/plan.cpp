// rung plan: what the KV cache of a model takes (--kv), before anything is loaded. Any model whose
// configuration can be read, also those that the engine cannot run; or a published shape by name. The other
// plan, --latency, is in plan_latency.cpp.

#include <algorithm>

#include "catalog/variants.hpp"
#include "cli/plan.hpp"
#include "seams/kv_plan.hpp"

namespace rung::cli {
namespace {

std::string human(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  for (const auto& [size, unit] : {std::pair{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}}) {
    if (value >= size) return fmt::format("{:.4g} {}", value / size, unit);
  }
  return fmt::format("{} bytes", bytes);
}

/// One line per kind of layer, with the numbers filled in.
Json formula(const KvShape& shape, DType type) {
  struct Kind {
    KvLayer layer;
    int count;
  };
  std::vector<Kind> kinds;
  for (const KvLayer& layer : shape.layers) {
    const auto same =
        std::find_if(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.layer == layer; });
    if (same != kinds.end()) {
      ++same->count;
    } else {
      kinds.push_back({layer, 1});
    }
  }
  const DTypeTraits& format = traits(type);
  const std::string each = format.block_elements == 1
                               ? fmt::format("{} bytes", format.block_bytes)
                               : fmt::format("{}/{} bytes", format.block_bytes, format.block_elements);
  Json lines = Json::array();
  for (const auto& [l, count] : kinds) {
    std::string line = fmt::format("{} layers * ", count);
    if (l.elements() == 0) {
      lines.push_back(line + "nothing: no attention, or the keys and values of another layer");
      continue;
    }
    if (l.latent > 0) {
      line += fmt::format("({} latent + {} rotated key)", l.latent, l.rotary_key);
    } else if (l.key_dim == l.value_dim) {
      line += fmt::format("2 (K and V) * {} KV heads * {} head_dim", l.kv_heads, l.key_dim);
    } else {
      line += fmt::format("{} KV heads * ({} key + {} value)", l.kv_heads, l.key_dim, l.value_dim);
    }
    const auto bytes = bytes_of(type, l.elements()) * static_cast<std::uint64_t>(count);
    line += fmt::format(" * {} ({}) = {} bytes per token", each, format.name, bytes);
    if (l.window > 0) line += fmt::format(", for the last {} tokens", l.window);
    lines.push_back(line);
  }
  return lines;
}

KvPlan plan_of(const PlanCommand& c, KvPlanConfig config, std::size_t sequences, int tokens) {
  const std::vector<std::int32_t> lengths(sequences, tokens);
  return variants().ladder<KvPlanner>().make(c.rung, config)->plan(lengths);
}

Json plan_json(const PlanCommand& c) {
  KvPlanConfig config;
  config.shape = c.shape.empty() ? read_kv_shape(resolve_model(c.model)) : named_kv_shape(c.shape);
  config.type = dtype_from_name(c.type.empty() ? "f16" : c.type);
  const KvShape& shape = config.shape;
  const int context = c.context > 0 ? c.context : shape.context_length;
  if (context < 1) fail_usage("the model does not say how long its context is; give --ctx N");
  const int tokens = c.tokens > 0 ? c.tokens : context;
  if (tokens > context) fail_usage("--tokens {} is more than the context of {}", tokens, context);
  const int batch = c.batch.value_or(1);
  if (batch < 1 || static_cast<std::size_t>(batch) > kMaxPlanSequences) {
    fail_usage("--batch is {}; it must be from 1 to {}", batch, kMaxPlanSequences);
  }
  config.validate();
  const auto sequences = static_cast<std::size_t>(batch);

  KvPlanConfig contiguous = config;  // how rung `contiguous` of seam kv does it
  contiguous.reserve = context;
  KvPlanConfig blocks = config;
  blocks.block_tokens = c.block;
  const KvPlan exact = plan_of(c, config, sequences, tokens);
  const KvPlan one = plan_of(c, config, 1, tokens);
  const KvPlan reserved = plan_of(c, contiguous, sequences, tokens);
  const KvPlan rounded = plan_of(c, blocks, sequences, tokens);

  const auto waste = [](const KvPlan& plan) {
    return plan.taken == 0 ? 0.0 : 1 - static_cast<double>(plan.used) / static_cast<double>(plan.taken);
  };
  Json result = {{"model", shape.name},
                 {"architecture", shape.architecture},
                 {"attention", shape.kind()},
                 {"layers", shape.layers.size()},
                 {"kv_type", traits(config.type).name},
                 {"formula", formula(shape, config.type)},
                 {"context", context},
                 {"tokens", tokens},
                 {"batch", batch},
                 {"bytes_per_token", exact.per_token},
                 {"bytes_per_sequence", one.used},
                 {"bytes_batch", exact.used},
                 {"weights_bytes", shape.weight_bytes}};
  if (shape.weight_bytes > 0) {
    result["share_of_weights"] = static_cast<double>(exact.used) / static_cast<double>(shape.weight_bytes);
  }
  result["contiguous"] = {
      {"tokens_reserved", context}, {"bytes", reserved.taken}, {"waste", waste(reserved)}};
  result["blocks"] = {{"block_tokens", c.block}, {"bytes", rounded.taken}, {"waste", waste(rounded)}};

  result["budgets"] = Json::array();
  std::vector<std::uint64_t> budgets = {24'000'000'000, 80'000'000'000};
  if (!c.budget.empty()) budgets = {bytes_from("--budget", c.budget)};
  for (const std::uint64_t budget : budgets) {
    const std::uint64_t left = budget - std::min(budget, shape.weight_bytes);
    contiguous.budget = blocks.budget = left;
    result["budgets"].push_back({{"budget_bytes", budget},
                                 {"left_after_weights", left},
                                 {"batch_contiguous", plan_of(c, contiguous, 1, tokens).batch},
                                 {"batch_blocks", plan_of(c, blocks, 1, tokens).batch}});
  }
  return result;
}

void print_text(const Json& r) {
  const auto bytes = [&](const char* key) { return r[key].get<std::uint64_t>(); };
  const auto weights = bytes("weights_bytes");
  fmt::print("{}: {} in {} layers, KV cache in {}\n\n", r["model"].get<std::string>(),
             r["attention"].get<std::string>(), r["layers"].get<int>(), r["kv_type"].get<std::string>());
  for (const Json& line : r["formula"]) fmt::print("  {}\n", line.get<std::string>());
  fmt::print("\n  {:<42} {:>12}  ({} bytes)\n", "per token", human(bytes("bytes_per_token")),
             bytes("bytes_per_token"));
  fmt::print("  {:<42} {:>12}\n", fmt::format("per sequence of {} tokens", r["tokens"].get<int>()),
             human(bytes("bytes_per_sequence")));
  fmt::print("  {:<42} {:>12}\n", fmt::format("batch of {}", r["batch"].get<int>()),
             human(bytes("bytes_batch")));
  if (weights > 0) {
    fmt::print("  {:<42} {:>12}  (the batch is {:.1f} % of that)\n", "weights", human(weights),
               100 * r["share_of_weights"].get<double>());
  } else {
    fmt::print("  {:<42} {:>12}\n", "weights", "not known");
  }
  const Json& contiguous = r["contiguous"];
  const Json& blocks = r["blocks"];
  fmt::print("\n  {:<42} {:>12}  ({:.1f} % of it unused)\n",
             fmt::format("contiguous, {} tokens reserved each", contiguous["tokens_reserved"].get<int>()),
             human(contiguous["bytes"].get<std::uint64_t>()), 100 * contiguous["waste"].get<double>());
  fmt::print("  {:<42} {:>12}  ({:.1f} % of it unused)\n",
             fmt::format("in blocks of {} tokens", blocks["block_tokens"].get<int>()),
             human(blocks["bytes"].get<std::uint64_t>()), 100 * blocks["waste"].get<double>());
  fmt::print("\n  {:<20} {:>20} {:>20} {:>20}\n", "memory", "left for KV", "batch, contiguous",
             "batch, blocks");
  for (const Json& b : r["budgets"]) {
    fmt::print("  {:<20} {:>20} {:>20} {:>20}\n", human(b["budget_bytes"].get<std::uint64_t>()),
               human(b["left_after_weights"].get<std::uint64_t>()),
               b["batch_contiguous"].get<std::uint64_t>(), b["batch_blocks"].get<std::uint64_t>());
  }
}

}  // namespace

void add_plan(Command& app, Program& program) {
  const auto c = std::make_shared<PlanCommand>();
  Command* command =
      add_command(app, program, "plan", "the memory that a model's KV cache takes, or the time of its steps");
  Option* kv = command->add_flag("--kv", c->kv, "plan the KV cache (the default)");
  command->add_flag("--latency", c->latency, "plan time to first token and time per token")->excludes(kv);
  Option* model = command->add_option(
      "-m,--model", c->model, "a GGUF file, a Hugging Face folder, a config.json, or an embedded model");
  command
      ->add_option("--shape", c->shape, "a published shape instead of a model: llama-3-8b, deepseek-v3, ...")
      ->excludes(model);
  command->add_option("--ctx", c->context, "tokens that a sequence may reach (default: the trained length)")
      ->range(1);
  command
      ->add_option("--tokens", c->tokens,
                   "tokens that a sequence really has (default: --ctx; with --latency at most 512)")
      ->range(1);
  command->add_option("--batch", c->batch, "sequences at the same time; with --latency up to that number")
      ->range(1);
  command->add_option("--budget", c->budget, "memory for weights and KV cache: 24GB, 80e9, 16GiB");
  command->add_option("--kv-type", c->type, "f32 | f16 | bf16 | f8_e4m3 | q8_0 | ... (default: f16)");
  command->add_option("--block", c->block, "tokens per block of a paged cache")->range(1);
  command->add_option("--rung", c->rung, "rung of seam kv_plan");
  const auto latency = [](Option* option) { option->group("With --latency"); };
  latency(command
              ->add_option("--bandwidth", c->bandwidth,
                           "bytes per second that a machine reads (default: measured here)")
              ->range(1.0, 1e18));
  latency(
      command
          ->add_option("--flops", c->flops, "operations per second that it computes (default: measured here)")
          ->range(1.0, 1e21));
  latency(command->add_option("--chunk", c->chunk, "most tokens of one step")->range(1, 1 << 20));
  latency(command->add_option("--threads", c->threads, "threads (default: all processors)")->range(1, 1024));
  latency(command->add_flag("--measure", c->measure, "time steps of the model here, for rung fitted"));
  latency(command->add_option("--repeats", c->repeats, "how often each step is timed; the median counts")
              ->range(1, 100));
  latency(command->add_option("--samples", c->samples,
                              "take the steps that --measure --json wrote to this file"));
  latency(command->add_option("--set", c->set, "SEAM=NAME: rung of step_cost, bandwidth, linear, ..."));
  command->callback([&program, c] {
    program.threads = c->latency;
    program.run = [&program, c] {
      const Json result = c->latency ? plan_latency(*c) : plan_json(*c);
      if (program.json) {
        print_json(result);
      } else if (c->latency) {
        print_latency(result);
      } else {
        print_text(result);
      }
    };
  });
}

}  // namespace rung::cli
