#pragma once
// The rungs of seam `ratio_interval`: how many times as fast one variant is as another, with an interval.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "core/rng.hpp"
#include "seams/ratio_interval.hpp"

namespace rung::optimization_impact {

std::unique_ptr<RatioInterval> make_means(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_unpaired(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_paired(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_stretched(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_median(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_trimmed(const RatioIntervalConfig& config);
std::unique_ptr<RatioInterval> make_mine(const RatioIntervalConfig& config);

/// Returns z: a normal variable lies within z standard deviations of its mean with probability `confidence`,
/// which is between 0 and 1. For 0.95, this is 1.96.
double normal_quantile(double confidence);
/// Returns the same number for Student's t distribution with `degrees` degrees of freedom, at least 1. It is
/// larger, because the standard deviation is itself estimated. For 0.95 and 4 degrees, this is 2.776.
double student_quantile(double confidence, int degrees);
/// Returns the factor by which the half-width of a percentile bootstrap interval is too small for a mean of
/// `rounds` values, at least 2: 1.58 for five rounds, 1.06 for thirty.
double few_rounds_factor(int rounds, double confidence);

/// Returns what one round says: its ratio, and an interval from 0 to infinity.
inline RatioEstimate of_one_round(double first_s, double second_s) {
  return {first_s / second_s, 0, std::numeric_limits<double>::infinity()};
}

/// Returns the percentile interval: the range of the values that remain after the same number of values is
/// discarded at both ends. It is extended to contain `ratio`. Reorders `resampled`, which is not empty.
inline RatioEstimate percentile_interval(double ratio, std::vector<double>& resampled, double confidence) {
  std::sort(resampled.begin(), resampled.end());
  const double size = static_cast<double>(resampled.size());
  const auto discarded = static_cast<std::size_t>(std::lround(size * (1 - confidence) / 2));
  return {ratio, std::min(ratio, resampled[discarded]),
          std::max(ratio, resampled[resampled.size() - 1 - discarded])};
}

// The exercise, mine.cpp: one function per step, and the class that make_mine() returns.

/// Step 1. Returns the sum of first_s over the given rounds, divided by the sum of second_s over them. A
/// round may occur several times in `rounds`.
double my_ratio(std::span<const double> first_s, std::span<const double> second_s,
                std::span<const int> rounds);
/// Step 2. Returns the ratios of `resamples` resamples. Each draws as many rounds as were measured, one after
/// the other, with rng.below().
std::vector<double> my_resamples(std::span<const double> first_s, std::span<const double> second_s,
                                 int resamples, Rng& rng);
/// Step 3. Returns the percentile interval of the resampled ratios, extended to contain `ratio`.
RatioEstimate my_interval(double ratio, std::vector<double> resampled, double confidence);
/// Step 4. Returns the estimate with both ends moved away from its ratio: the distance of each end, as a
/// factor, to the power `factor`.
RatioEstimate my_stretched(const RatioEstimate& estimate, double factor);

std::vector<ExerciseStep> steps();
std::vector<Trial> trials(const Ladder<RatioInterval>& ladder);
std::vector<Goal> goals(const Ladder<RatioInterval>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::optimization_impact
