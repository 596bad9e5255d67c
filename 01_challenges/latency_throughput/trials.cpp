// The trials of `step_cost`, with an oracle that counts tokens and pairs one by one. The rung `fitted` gets
// steps whose times were computed from known coefficients, and must predict the times of other steps.

#include <memory>

#include "core/rng.hpp"
#include "latency_throughput.hpp"

namespace rung::latency_throughput {
namespace {

struct Case {
  std::string name;
  StepCostConfig config;
  std::vector<StepSequence> batch;
  bool timed = false;
};

/// What an oracle counts in one step.
struct Count {
  double rows = 0, outputs = 0, kv_bytes = 0, attention_flops = 0, attention_seconds = 0;
};

Count count(const StepModel& model, const StepLimits& limits, std::span<const StepSequence> batch) {
  Count c;
  for (const StepSequence& s : batch) {
    c.rows += s.query_count;
    c.outputs += s.output ? 1 : 0;
    const std::int32_t before = s.context_length - s.query_count;
    for (const StepAttention& layers : model.attention) {
      const auto sees = [&](std::int32_t query, std::int32_t key) {  // positions
        return key <= query && (layers.window == 0 || query - key < layers.window);
      };
      double keys = 0, seen = 0;
      for (std::int32_t key = 0; key < s.context_length; ++key) {
        // The first query that is not before a key is the one that sees it if any does.
        if (sees(std::max(before, key), key)) ++keys;
      }
      for (std::int32_t query = before; query < s.context_length; ++query) {
        if (layers.window == 0) {
          seen += query + 1.0;
        } else {
          for (std::int32_t key = query; key >= 0 && sees(query, key); --key) ++seen;
        }
      }
      const double bytes = keys * layers.kv_bytes, flops = seen * layers.flops_per_pair;
      c.kv_bytes += bytes;
      c.attention_flops += flops;
      c.attention_seconds += std::max(bytes / limits.read_bytes_per_s, flops / limits.attention_flops_per_s);
    }
  }
  return c;
}

// seconds per step, token, row of logits, byte, flop
constexpr Features kTrue = {2e-3, 3e-5, 1e-5, 1.0 / 8e9, 1.0 / 20e9};

StepSeconds oracle(const std::string& rung, const StepCostConfig& config,
                   std::span<const StepSequence> batch) {
  if (batch.empty()) return {};
  const StepModel& m = config.model;
  const StepLimits& l = config.limits;
  const Count c = count(m, l, batch);
  double unread = 1;  // share of the experts that no token chose
  for (int i = 0; i < static_cast<int>(c.rows); ++i) unread *= 1 - m.expert_share;
  const double layers_s = (m.layer_bytes + m.expert_bytes * (1 - unread)) / l.read_bytes_per_s;
  const double output_s = m.output_bytes / l.read_bytes_per_s;
  if (rung == "weights") return {layers_s + output_s, 0};
  if (rung == "fitted") {
    return {kTrue[0] + kTrue[1] * c.rows + kTrue[2] * c.outputs,
            kTrue[3] * c.kv_bytes + kTrue[4] * c.attention_flops};
  }
  StepSeconds s;
  s.products = std::max(layers_s, c.rows * m.layer_weights * 2 / l.product_flops_per_s);
  if (c.outputs > 0)
    s.products += std::max(output_s, c.outputs * m.output_weights * 2 / l.product_flops_per_s);
  if (rung != "roofline") s.attention = c.attention_seconds;
  return s;
}

/// A billion weights of 8 bits, 22 layers, 32 heads of 64 with 4 KV heads in 16 bits.
StepModel dense() {
  StepModel m;
  m.name = "1.1B, q8_0";
  m.layer_weights = 968e6;
  m.layer_bytes = 968e6 * 34 / 32;
  m.output_weights = 65.5e6;
  m.output_bytes = 65.5e6 * 34 / 32;
  m.attention = {{0, 2.0 * 22 * 4 * 64 * 2, 4.0 * 22 * 32 * 64}};
  return m;
}

StepModel mixture() {
  StepModel m = dense();
  m.name = "mixture, 2 of 8 experts";
  m.expert_bytes = 4e9;
  m.expert_share = 0.25;
  return m;
}

StepModel windowed() {
  StepModel m = dense();
  m.name = "every second layer sees 100 tokens";
  m.attention = {{0, 11 * 1024.0, 11 * 8192.0}, {100, 11 * 1024.0, 11 * 8192.0}};
  return m;
}

std::vector<StepSequence> decode(int sequences, std::int32_t context) {
  return std::vector<StepSequence>(static_cast<std::size_t>(sequences), StepSequence{1, context, true});
}

StepCostConfig config_of(StepModel model) {
  StepCostConfig config;
  config.model = std::move(model);
  config.limits = {25e9, 400e9, 180e9};
  std::vector<std::vector<StepSequence>> batches = {decode(1, 1), decode(1, 700), decode(8, 30),
                                                    decode(3, 400)};
  batches.push_back({{128, 128, false}});
  batches.push_back({{128, 640, true}});
  batches.push_back({{1, 300, true}, {64, 64, false}, {17, 90, true}});
  batches.push_back({{300, 300, true}});
  for (std::vector<StepSequence>& batch : batches) {
    const StepSeconds s = oracle("fitted", config, batch);
    config.samples.push_back({std::move(batch), s.total()});
  }
  return config;
}

std::vector<Case> cases() {
  const std::vector<StepSequence> mixed = {{1, 900, true}, {1, 5, true}, {100, 350, false}, {37, 37, true}};
  std::vector<Case> list = {
      {"no sequences", config_of(dense()), {}},
      {"one token, nothing before it", config_of(dense()), {{1, 1, true}}},
      {"one token after 2047", config_of(dense()), decode(1, 2048)},
      {"a prompt of 512", config_of(dense()), {{512, 512, true}}},
      {"a chunk whose logits nobody wants", config_of(dense()), {{512, 1536, false}}},
      {"decode, batch of 7, below the knee", config_of(dense()), decode(7, 20)},
      {"decode, batch of 64, above it", config_of(dense()), decode(64, 20)},
      {"decode, two prompts at the same time", config_of(dense()), mixed},
      {"mixture, one token", config_of(mixture()), decode(1, 10)},
      {"mixture, batch of 5", config_of(mixture()), decode(5, 10)},
      {"windows, short context", config_of(windowed()), decode(2, 99)},
      {"windows, just full", config_of(windowed()), decode(2, 100)},
      {"windows, beyond", config_of(windowed()), decode(2, 777)},
      {"windows, a prompt that crosses", config_of(windowed()), {{250, 250, true}}},
      {"windows, a chunk that crosses", config_of(windowed()), {{64, 130, true}, {64, 1000, false}}},
      {"windows, all at once", config_of(windowed()), mixed},
  };
  Rng rng(20261126);
  std::vector<StepSequence> many;
  for (int i = 0; i < 256; ++i) many.push_back({1, static_cast<std::int32_t>(1 + rng.below(4096)), true});
  list.push_back({"256 sequences", config_of(dense()), many, true});
  many.push_back({512, 4096, false});
  list.push_back({"256 sequences and a chunk of 512, windows", config_of(windowed()), many, true});
  return list;
}

Verdict judge(const Ladder<StepCost>& ladder, const std::string& rung, const Case& c) {
  const StepSeconds got = ladder.make(rung, c.config)->seconds(c.batch);
  const StepSeconds expected = oracle(rung, c.config, c.batch);
  Verdict verdict;
  for (const auto& [what, part] :
       {std::pair{"products", &StepSeconds::products}, std::pair{"attention", &StepSeconds::attention}}) {
    // Sums of some thousand terms in another order; the fit solves five equations.
    const double allowed = (rung == "fitted" ? 1e-7 : 1e-12) * expected.total();
    const double error = std::fabs(got.*part - expected.*part);
    verdict.error = std::max(verdict.error, error);
    verdict.tolerance = allowed;
    if (error <= allowed) continue;
    return verdict.fail(mismatch(
        fmt::format("{}, {}", c.config.model.name, c.name), fmt::format("{} sequences", c.batch.size()), what,
        fmt::format("{:.12g} seconds", expected.*part), fmt::format("{:.12g}", got.*part)));
  }
  return verdict;
}

}  // namespace

std::vector<Trial> trials(const Ladder<StepCost>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return judge(ladder, rung, c);
  };
  return trials_of(cases(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Case> c) {
    const auto sequences = static_cast<double>(c->batch.size());
    trial.work.bytes = sizeof(StepSequence) * sequences;
    trial.work.flops = 10.0 * sequences * static_cast<double>(c->config.model.attention.size());
    trial.prepare = [c, &ladder](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<StepCost> cost = ladder.make(rung, c->config);
      return [c, cost] { cost->seconds(c->batch); };
    };
  });
}

}  // namespace rung::latency_throughput
