#pragma once
// Simulated rounds with a known ratio, and the share of comparisons whose interval contains it.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "optimization_impact.hpp"
#include "seams/stopping_rule.hpp"

namespace rung::optimization_impact {

/// What disturbs the times of a round. Each side also varies by 1 % on its own, except with `skewed`.
enum class Noise : std::uint8_t {
  quiet,      // nothing else
  drift,      // the speed of the machine changes by about a factor of two during the comparison
  bursts,     // in 15 % of the rounds, one side takes 1.5 to 3 times as long
  skewed,     // each side is late by an exponentially distributed time, 10 % on average
  one_sided,  // in 10 % of the rounds, the second side takes 1.5 to 3 times as long
};
inline constexpr Noise kNoises[] = {Noise::quiet, Noise::drift, Noise::bursts, Noise::skewed,
                                    Noise::one_sided};
std::string_view name_of(Noise noise);

struct Rounds {
  std::vector<double> first_s, second_s;
  /// Returns the estimate from the first `count` rounds.
  RatioEstimate estimate(const RatioInterval& interval, int count) const {
    const auto size = static_cast<std::size_t>(count);
    return interval.estimate(std::span(first_s).first(size), std::span(second_s).first(size));
  }
};

/// The ratio that the simulated rounds have without noise.
inline constexpr double kTrueRatio = 1.25;
/// Returns the rounds of comparison number `comparison`, always the same ones for the same arguments.
Rounds simulated_rounds(Noise noise, int rounds, std::uint64_t comparison);

struct Coverage {
  int comparisons = 0, missed = 0;
  double median_width = 0;  // of ln(high / low), which is about high - low for a ratio near 1
  double median_rounds = 0;
  double share() const { return 1 - static_cast<double>(missed) / comparisons; }
};
/// Compares `comparisons` times with `rounds` rounds each. Each comparison has its own seed.
Coverage coverage(const Ladder<RatioInterval>& ladder, const std::string& rung, Noise noise, int rounds,
                  int comparisons, int resamples = RatioIntervalConfig{}.resamples);

/// Compares `comparisons` times, each until the rule stops it.
Coverage coverage_of_stopping(const Ladder<RatioInterval>& ladder, const std::string& rung, Noise noise,
                              const StoppingRule& rule, double half_width, int comparisons);

}  // namespace rung::optimization_impact
