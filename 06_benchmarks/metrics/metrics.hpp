#pragma once
// The rungs of seam `quantile`: P50, P90, P99 of many values.

#include <climits>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "seams/quantile.hpp"

namespace rung::metrics {

std::unique_ptr<Quantile> make_sorted(const QuantileConfig& config);
std::unique_ptr<Quantile> make_select(const QuantileConfig& config);
std::unique_ptr<Quantile> make_log_histogram(const QuantileConfig& config);
std::unique_ptr<Quantile> make_t_digest(const QuantileConfig& config);
std::unique_ptr<Quantile> make_mine(const QuantileConfig& config);

/// A value, and how often it occurs.
struct CountedValue {
  double value = 0;
  std::uint64_t count = 1;
};
/// The bucket of the value 0. It comes before all others.
inline constexpr int kZeroBucket = INT_MIN;

// The exercise, mine.cpp: one function per step, and the class that make_mine() returns.

/// Step 1. Returns the nearest-rank percentile at share p of all values, which are in ascending order, or 0
/// if there are none.
double my_percentile(std::span<const CountedValue> values, double p);
/// Step 2. Returns ln(value) / relative_error, rounded to the nearest integer, or kZeroBucket for the value
/// 0.
int my_bucket(double value, double relative_error);
/// Step 2. Returns the value that stands for all values of a bucket.
double my_middle(int bucket, double relative_error);

std::vector<ExerciseStep> steps();
std::vector<Trial> trials(const Ladder<Quantile>& ladder);
std::vector<Goal> goals(const Ladder<Quantile>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::metrics
