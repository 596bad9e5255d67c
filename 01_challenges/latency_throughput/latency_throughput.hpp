#pragma once
// What the rungs of this ladder share. A rung is a function of model, limits and batch, or (fitted) of
// measured steps; register.cpp makes a StepCost of it, which checks every number first.

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "seams/step_cost.hpp"

namespace rung::latency_throughput {

StepSeconds weights(const StepCostConfig& config, std::span<const StepSequence> batch);
StepSeconds roofline(const StepCostConfig& config, std::span<const StepSequence> batch);
StepSeconds roofline_kv(const StepCostConfig& config, std::span<const StepSequence> batch);
StepSeconds mine(const StepCostConfig& config, std::span<const StepSequence> batch);

/// Rows of a step, and those of them whose logits are wanted.
inline double step_rows(std::span<const StepSequence> batch) {
  double rows = 0;
  for (const StepSequence& s : batch) rows += s.query_count;
  return rows;
}
inline double step_outputs(std::span<const StepSequence> batch) {
  return static_cast<double>(std::ranges::count_if(batch, [](const StepSequence& s) { return s.output; }));
}

/// Bytes of weights in the layers that a step of `rows` tokens reads: of a mixture those of the experts that
/// somebody chose, when every token chooses without preference.
inline double layer_bytes(const StepModel& model, double rows) {
  return model.layer_bytes + model.expert_bytes * (1 - std::pow(1 - model.expert_share, rows));
}

/// Tokens whose keys and values a sequence reads in layers with this window: all that any of its queries
/// sees.
inline double keys_read(const StepSequence& s, int window) {
  const double seen = static_cast<double>(s.context_length);
  return window > 0 ? std::min(seen, 1.0 * window + s.query_count - 1) : seen;
}

/// Pairs of a query and a key that it sees: the triangle that makes a prompt's cost grow with its square.
inline double pairs(const StepSequence& s, int window) {
  // Query j stands at position before + j and sees before + j + 1 keys, at most `window` of them.
  const double before = static_cast<double>(s.context_length) - s.query_count;
  const double n = s.query_count;
  if (window == 0 || s.context_length <= window) return n * before + n * (n + 1) / 2;
  const double growing = std::clamp(window - before, 0.0, n);  // queries that see less than a full window
  return growing * before + growing * (growing + 1) / 2 + (n - growing) * window;
}

/// What `fitted` fits: seconds = the sum over i of coefficient[i] * features[i].
inline constexpr std::size_t kFeatures = 5;
using Features = std::array<double, kFeatures>;
inline constexpr std::array<const char*, kFeatures> kFeatureNames = {
    "a step", "a token", "a row of logits", "a byte of keys and values", "a flop of attention"};
Features features(const StepModel& model, std::span<const StepSequence> batch);

/// Coefficients >= 0 that make the sum over samples of (predicted / measured - 1)^2 smallest. Throws Error
/// for fewer than kFeatures samples.
Features fit(const StepModel& model, std::span<const StepSample> samples);

std::vector<Trial> trials(const Ladder<StepCost>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::latency_throughput
