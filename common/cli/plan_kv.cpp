// rung plan --kv: computes the memory that a model's KV cache takes, before anything is loaded. Reads the
// configuration of any model, also of models that the engine cannot run, or takes a published shape by name.

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

/// Returns one line per kind of layer, with the numbers filled in.
std::vector<std::string> formula(const KvShape& shape, DType type) {
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
  std::vector<std::string> lines;
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

KvMemory memory_of(const KvPlan& plan) {
  const double waste =
      plan.taken == 0 ? 0.0 : 1 - static_cast<double>(plan.used) / static_cast<double>(plan.taken);
  return {plan.taken, waste};
}

}  // namespace

KvPlanReport plan_kv(const PlanCommand& c) {
  KvPlanConfig config;
  config.shape = c.shape.empty() ? read_kv_shape(resolve_model(c.model)) : named_kv_shape(c.shape);
  config.type = dtype_from_name(c.type.empty() ? "f16" : c.type);
  const KvShape& shape = config.shape;
  const int context = c.context > 0 ? c.context : shape.context_length;
  if (context < 1) fail_usage("the model does not state its context length; give --ctx N");
  const int tokens = c.tokens > 0 ? c.tokens : context;
  if (tokens > context)
    fail_usage("--tokens is {}, but the context has {} tokens; use a smaller --tokens or a larger --ctx",
               tokens, context);
  const int batch = c.batch.value_or(1);
  if (batch < 1 || static_cast<std::size_t>(batch) > kMaxPlanSequences) {
    fail_usage("--batch is {}; it must be from 1 to {}", batch, kMaxPlanSequences);
  }
  config.validate();
  const auto sequences = static_cast<std::size_t>(batch);

  KvPlanConfig contiguous = config;  // as rung `contiguous` of seam `kv` does it
  contiguous.reserve = context;
  KvPlanConfig blocks = config;
  blocks.block_tokens = c.block;
  const KvPlan exact = plan_of(c, config, sequences, tokens);
  const KvPlan one = plan_of(c, config, 1, tokens);
  const KvPlan reserved = plan_of(c, contiguous, sequences, tokens);
  const KvPlan rounded = plan_of(c, blocks, sequences, tokens);

  KvPlanReport report;
  report.model = shape.name;
  report.architecture = shape.architecture;
  report.attention = shape.kind();
  report.layers = shape.layers.size();
  report.kv_type = traits(config.type).name;
  report.formula = formula(shape, config.type);
  report.context = context;
  report.tokens = tokens;
  report.batch = batch;
  report.block_tokens = c.block;
  report.bytes_per_token = exact.per_token;
  report.bytes_per_sequence = one.used;
  report.bytes_batch = exact.used;
  report.weights_bytes = shape.weight_bytes;
  report.contiguous = memory_of(reserved);
  report.blocks = memory_of(rounded);
  std::vector<std::uint64_t> budgets = {24'000'000'000, 80'000'000'000};
  if (!c.budget.empty()) budgets = {bytes_from("--budget", c.budget)};
  for (const std::uint64_t budget : budgets) {
    const std::uint64_t left = budget - std::min(budget, shape.weight_bytes);
    contiguous.budget = blocks.budget = left;
    report.budgets.push_back(
        {budget, left, plan_of(c, contiguous, 1, tokens).batch, plan_of(c, blocks, 1, tokens).batch});
  }
  return report;
}

Json to_json(const KvPlanReport& r) {
  Json json = {{"model", r.model},
               {"architecture", r.architecture},
               {"attention", r.attention},
               {"layers", r.layers},
               {"kv_type", r.kv_type},
               {"formula", r.formula},
               {"context", r.context},
               {"tokens", r.tokens},
               {"batch", r.batch},
               {"bytes_per_token", r.bytes_per_token},
               {"bytes_per_sequence", r.bytes_per_sequence},
               {"bytes_batch", r.bytes_batch},
               {"weights_bytes", r.weights_bytes}};
  if (r.weights_bytes > 0) json["share_of_weights"] = r.share_of_weights();
  json["contiguous"] = {
      {"tokens_reserved", r.context}, {"bytes", r.contiguous.bytes}, {"waste", r.contiguous.waste}};
  json["blocks"] = {{"block_tokens", r.block_tokens}, {"bytes", r.blocks.bytes}, {"waste", r.blocks.waste}};
  json["budgets"] = Json::array();
  for (const KvBudget& b : r.budgets) {
    json["budgets"].push_back({{"budget_bytes", b.bytes},
                               {"left_after_weights", b.left_after_weights},
                               {"batch_contiguous", b.batch_contiguous},
                               {"batch_blocks", b.batch_blocks}});
  }
  return json;
}

void print(const KvPlanReport& r) {
  fmt::print("{}: {} in {} layers, KV cache in {}\n\n", r.model, r.attention, r.layers, r.kv_type);
  for (const std::string& line : r.formula) fmt::print("  {}\n", line);
  fmt::print("\n  {:<42} {:>12}  ({} bytes)\n", "per token", human(r.bytes_per_token), r.bytes_per_token);
  fmt::print("  {:<42} {:>12}\n", fmt::format("per sequence of {} tokens", r.tokens),
             human(r.bytes_per_sequence));
  fmt::print("  {:<42} {:>12}\n", fmt::format("batch of {}", r.batch), human(r.bytes_batch));
  if (r.weights_bytes > 0) {
    fmt::print("  {:<42} {:>12}  (the batch is {:.1f} % of that)\n", "weights", human(r.weights_bytes),
               100 * r.share_of_weights());
  } else {
    fmt::print("  {:<42} {:>12}\n", "weights", "not known");
  }
  fmt::print("\n  {:<42} {:>12}  ({:.1f} % of it unused)\n",
             fmt::format("contiguous, {} tokens reserved each", r.context), human(r.contiguous.bytes),
             100 * r.contiguous.waste);
  fmt::print("  {:<42} {:>12}  ({:.1f} % of it unused)\n",
             fmt::format("in blocks of {} tokens", r.block_tokens), human(r.blocks.bytes),
             100 * r.blocks.waste);
  fmt::print("\n  {:<20} {:>20} {:>20} {:>20}\n", "memory", "left for KV", "batch, contiguous",
             "batch, blocks");
  for (const KvBudget& b : r.budgets) {
    fmt::print("  {:<20} {:>20} {:>20} {:>20}\n", human(b.bytes), human(b.left_after_weights),
               b.batch_contiguous, b.batch_blocks);
  }
}

}  // namespace rung::cli
