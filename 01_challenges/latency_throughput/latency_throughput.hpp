#pragma once
// What the rungs of this ladder share. A rung is a function of a model, limits and a batch; `fitted` uses
// measured steps instead of limits. register.cpp wraps a rung in a StepCost, which checks all numbers first.

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

/// Return the number of rows of a step, and the number of rows whose logits are needed.
inline double step_rows(std::span<const StepSequence> batch) {
  double rows = 0;
  for (const StepSequence& s : batch) rows += s.query_count;
  return rows;
}
inline double step_outputs(std::span<const StepSequence> batch) {
  return static_cast<double>(std::ranges::count_if(batch, [](const StepSequence& s) { return s.output; }));
}

/// Returns the bytes of weights in the layers that a step of `rows` tokens reads. Of a mixture of experts, it
/// counts the experts that at least one token is expected to choose if tokens choose without preference.
inline double layer_bytes(const StepModel& model, double rows) {
  return model.layer_bytes + model.expert_bytes * (1 - std::pow(1 - model.expert_share, rows));
}

/// Returns the number of tokens whose keys and values a sequence reads in layers with this window: all tokens
/// that at least one of its queries sees.
inline double keys_read(const StepSequence& s, int window) {
  const double seen = static_cast<double>(s.context_length);
  return window > 0 ? std::min(seen, 1.0 * window + s.query_count - 1) : seen;
}

/// Returns the number of pairs of a query and a key that it sees. In a prompt, it grows with the square of
/// the length.
inline double pairs(const StepSequence& s, int window) {
  // Query j is at position before + j and sees before + j + 1 keys, but at most `window` keys.
  const double before = static_cast<double>(s.context_length) - s.query_count;
  const double n = s.query_count;
  if (window == 0 || s.context_length <= window) return n * before + n * (n + 1) / 2;
  const double growing = std::clamp(window - before, 0.0, n);  // queries that see less than a full window
  return growing * before + growing * (growing + 1) / 2 + (n - growing) * window;
}

/// What `fitted` fits: seconds = the sum of coefficient[i] * features[i] over all i.
inline constexpr std::size_t kFeatures = 5;
using Features = std::array<double, kFeatures>;
inline constexpr std::array<const char*, kFeatures> kFeatureNames = {
    "a step", "a token", "a row of logits", "a byte of keys and values", "a flop of attention"};
Features features(const StepModel& model, std::span<const StepSequence> batch);

/// Returns the coefficients >= 0 that minimize the sum of (predicted / measured - 1)^2 over all samples.
/// Throws Error if there are fewer than kFeatures samples.
Features fit(const StepModel& model, std::span<const StepSample> samples);

// The exercise, mine.cpp: one function per step. The last one is mine(), above.

/// Step 1. Returns the seconds of the products with the weights, in the layers and in the output matrix.
double my_products(const StepCostConfig& config, std::span<const StepSequence> batch);
/// Step 2. Returns the number of pairs of a new token and a token that it sees.
double my_pairs(const StepSequence& s, int window);

std::vector<ExerciseStep> steps();

std::vector<Trial> trials(const Ladder<StepCost>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::latency_throughput
