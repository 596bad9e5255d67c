// Rung 3 of `step_cost`: no limits any more, but what steps of this model took on this machine. Least squares
// over five counts: the step itself, its tokens, its rows of logits, bytes of keys and values, flops of
// attention. Each coefficient has a unit and a meaning: seconds per flop is one over the rate that attention
// reaches. Errors count relative to the measured time, and no coefficient may be negative.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {
namespace {

/// Solves a x = b for the features in `chosen`, a symmetric and positive (Cholesky); false where the samples
/// cannot tell these features apart.
bool solve(const std::array<Features, kFeatures>& a, const Features& b,
           const std::vector<std::size_t>& chosen, Features& x) {
  const std::size_t n = chosen.size();
  std::array<Features, kFeatures> l{};
  Features y{};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[chosen[i]][chosen[j]];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i == j) {
        // The diagonal was scaled to 1: what is left of it is the part that the others do not explain.
        if (!(sum > 1e-9)) return false;
        l[i][i] = std::sqrt(sum);
      } else {
        l[i][j] = sum / l[j][j];
      }
    }
    y[i] = b[chosen[i]];
    for (std::size_t k = 0; k < i; ++k) y[i] -= l[i][k] * y[k];
    y[i] /= l[i][i];
  }
  x = {};
  for (std::size_t i = n; i-- > 0;) {
    double sum = y[i];
    for (std::size_t k = i + 1; k < n; ++k) sum -= l[k][i] * x[chosen[k]];
    x[chosen[i]] = sum / l[i][i];
  }
  return true;
}

}  // namespace

Features features(const StepModel& model, std::span<const StepSequence> batch) {
  double bytes = 0, flops = 0;
  for (const StepSequence& s : batch) {
    for (const StepAttention& layers : model.attention) {
      bytes += layers.kv_bytes * keys_read(s, layers.window);
      flops += layers.flops_per_pair * pairs(s, layers.window);
    }
  }
  return {1, step_rows(batch), step_outputs(batch), bytes, flops};
}

Features fit(const StepModel& model, std::span<const StepSample> samples) {
  if (samples.size() < kFeatures) {
    fail("{} measured steps are too few for {} coefficients; measure at least {}", samples.size(), kFeatures,
         kFeatures);
  }
  // Row s of the system: features / seconds, to be 1. Columns are scaled to length 1.
  std::vector<Features> rows;
  for (const StepSample& sample : samples) {
    Features row = features(model, sample.batch);
    for (double& value : row) value /= sample.seconds;
    rows.push_back(row);
  }
  Features length{};
  for (std::size_t i = 0; i < kFeatures; ++i) {
    for (const Features& row : rows) length[i] += row[i] * row[i];
    length[i] = std::sqrt(length[i]);
    if (length[i] > 0) {
      for (Features& row : rows) row[i] /= length[i];
    }
  }
  std::array<Features, kFeatures> a{};
  Features b{};
  for (const Features& row : rows) {
    for (std::size_t i = 0; i < kFeatures; ++i) {
      b[i] += row[i];
      for (std::size_t j = 0; j < kFeatures; ++j) a[i][j] += row[i] * row[j];
    }
  }
  // The best point with no negative coordinate is the unconstrained best of the features that are not zero
  // in it. There are 31 choices of those: try all.
  Features best{};
  double least = static_cast<double>(samples.size());  // of predicting nothing at all
  for (unsigned mask = 1; mask < 1U << kFeatures; ++mask) {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < kFeatures; ++i) {
      if (mask >> i & 1U) chosen.push_back(i);
    }
    Features x{};
    if (!solve(a, b, chosen, x) || *std::ranges::min_element(x) < 0) continue;
    double error = 0;
    for (const Features& row : rows) {
      double predicted = 0;
      for (std::size_t i = 0; i < kFeatures; ++i) predicted += row[i] * x[i];
      error += (predicted - 1) * (predicted - 1);
    }
    if (error < least * (1 - 1e-12)) {
      least = error;
      best = x;
    }
  }
  for (std::size_t i = 0; i < kFeatures; ++i) {
    if (length[i] > 0) best[i] /= length[i];
  }
  return best;
}

}  // namespace rung::latency_throughput
