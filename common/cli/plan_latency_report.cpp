// The JSON and the text of rung plan --latency.

#include <algorithm>
#include <cmath>
#include <span>

#include "cli/plan.hpp"

namespace rung::cli {
namespace {

/// Writes equal sequences once, as [count, query_count, context_length, output].
Json batch_json(std::span<const StepSequence> batch) {
  Json groups = Json::array();
  for (const StepSequence& s : batch) {
    const Json one = {1, s.query_count, s.context_length, s.output};
    if (!groups.empty() && groups.back()[1] == one[1] && groups.back()[2] == one[2] &&
        groups.back()[3] == one[3]) {
      groups.back()[0] = groups.back()[0].get<int>() + 1;
    } else {
      groups.push_back(one);
    }
  }
  return groups;
}

double attention_share(const StepSeconds& s) { return s.total() > 0 ? s.attention / s.total() : 0.0; }

Json samples_json(const std::vector<MeasuredStep>& samples) {
  Json rows = Json::array();
  for (const MeasuredStep& s : samples) {
    rows.push_back({{"batch", batch_json(s.sample.batch)},
                    {"seconds", s.sample.seconds},
                    {"predicted_s", s.predicted_s}});
  }
  return rows;
}

}  // namespace

Json to_json(const LatencyReport& r) {
  Json json = {{"model", r.model.name},
               {"step_cost", r.step_cost},
               {"linear", r.linear},
               {"kv_type", r.kv_type},
               {"weights_bytes", r.model.layer_bytes + r.model.output_bytes + r.model.expert_bytes},
               {"weights_per_token", r.model.layer_weights + r.model.output_weights},
               {"limits",
                {{"from", r.limits_from},
                 {"read_gb_s", r.limits.read_bytes_per_s * 1e-9},
                 {"product_gflop_s", r.limits.product_flops_per_s * 1e-9},
                 {"attention_gflop_s", r.limits.attention_flops_per_s * 1e-9}}},
               {"chunk", r.chunk}};
  json["prompts"] = Json::array();
  for (const PromptLatency& p : r.prompts) {
    json["prompts"].push_back({{"tokens", p.tokens},
                               {"ttft_s", p.first.total()},
                               {"tok_s", p.tokens / p.first.total()},
                               {"attention_share", attention_share(p.first)},
                               {"tpot_s", p.next.total()},
                               {"tpot_attention_share", attention_share(p.next)}});
  }
  json["context"] = r.context;
  json["batches"] = Json::array();
  for (const BatchLatency& b : r.batches) {
    json["batches"].push_back({{"batch", b.batch},
                               {"tpot_s", b.step.total()},
                               {"tok_s", b.batch / b.step.total()},
                               {"attention_share", attention_share(b.step)}});
  }
  json["knee"] = r.knee ? Json(*r.knee) : Json();
  if (!r.samples.empty()) json["samples"] = samples_json(r.samples);
  return json;
}

void print(const LatencyReport& r) {
  const double weights_bytes = r.model.layer_bytes + r.model.output_bytes + r.model.expert_bytes;
  fmt::print("{}: {:.4g} MB of weights, linear {}, keys and values in {}\n", r.model.name,
             weights_bytes * 1e-6, r.linear, r.kv_type);
  fmt::print("limits ({}): {:.4g} GB/s read, {:.4g} GFLOP/s in products, {:.4g} GFLOP/s in attention\n",
             r.limits_from, r.limits.read_bytes_per_s * 1e-9, r.limits.product_flops_per_s * 1e-9,
             r.limits.attention_flops_per_s * 1e-9);
  fmt::print("step_cost {}", r.step_cost);
  if (!r.samples.empty()) {
    std::vector<double> off;
    for (const MeasuredStep& s : r.samples) {
      off.push_back(100 * std::fabs(s.predicted_s / s.sample.seconds - 1));
    }
    std::ranges::sort(off);
    fmt::print(": off by {:.0f} % from {} measured steps (median; {:.0f} % at most)", off[off.size() / 2],
               off.size(), off.back());
  }
  const auto ms = [](const StepSeconds& s) { return fmt::format("{:.4g} ms", 1e3 * s.total()); };
  const auto attention = [](const StepSeconds& s) {
    return fmt::format("{:.0f} %", 100 * attention_share(s));
  };
  fmt::print("\n\n  {:>8} {:>20} {:>10} {:>10} {:>20} {:>10}\n", "prompt", "time to first token", "tok/s",
             "attention", "then time per token", "attention");
  for (const PromptLatency& p : r.prompts) {
    fmt::print("  {:>8} {:>20} {:>10.4g} {:>10} {:>20} {:>10}\n", p.tokens, ms(p.first),
               p.tokens / p.first.total(), attention(p.first), ms(p.next), attention(p.next));
  }
  fmt::print("\n  {:>8} {:>20} {:>10} {:>10}     each with {} tokens of context\n", "batch", "time per token",
             "tok/s", "attention", r.context);
  for (const BatchLatency& b : r.batches) {
    fmt::print("  {:>8} {:>20} {:>10.4g} {:>10}\n", b.batch, ms(b.step), b.batch / b.step.total(),
               attention(b.step));
  }
  if (!r.knee) {
    fmt::print("\n  no knee: this rung says that one sequence more costs nothing\n");
  } else {
    fmt::print("\n  the knee is at a batch of {:.3g}: more sequences than that cost time in proportion\n",
               *r.knee);
  }
}

}  // namespace rung::cli
