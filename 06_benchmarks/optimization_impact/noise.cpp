// Simulated rounds, and how often an interval contains their true ratio.

#include "noise.hpp"

#include "core/percentile.hpp"

namespace rung::optimization_impact {

std::string_view name_of(Noise noise) {
  switch (noise) {
    case Noise::quiet:
      return "quiet";
    case Noise::drift:
      return "drift";
    case Noise::bursts:
      return "bursts";
    case Noise::skewed:
      return "skewed";
    case Noise::one_sided:
      return "one_sided";
  }
  return "";
}

Rounds simulated_rounds(Noise noise, int rounds, std::uint64_t comparison) {
  // Streams of random numbers that do not overlap: a round uses at most eight numbers.
  Rng rng(20261201 + static_cast<std::uint64_t>(noise) + 1000 * static_cast<std::uint64_t>(rounds),
          comparison << 16);
  const auto slow = [&rng] { return 1.5 + 1.5 * rng.uniform(); };
  Rounds all;
  double log_drift = 0;
  for (int round = 0; round < rounds; ++round) {
    double first = kTrueRatio, second = 1;
    if (noise == Noise::skewed) {
      first *= 1 - 0.1 * std::log(1 - rng.uniform());
      second *= 1 - 0.1 * std::log(1 - rng.uniform());
    } else {
      first *= std::exp(0.01 * rng.normal());
      second *= std::exp(0.01 * rng.normal());
    }
    if (noise == Noise::drift) {
      first *= std::exp(log_drift);
      second *= std::exp(log_drift);
      log_drift += std::log(2.0) / std::sqrt(static_cast<double>(rounds)) * rng.normal();
    }
    if (noise == Noise::bursts && rng.uniform() < 0.15) (rng.uniform() < 0.5 ? first : second) *= slow();
    if (noise == Noise::one_sided && rng.uniform() < 0.1) second *= slow();
    all.first_s.push_back(first);
    all.second_s.push_back(second);
  }
  return all;
}

namespace {

/// Calls compare(comparison), which returns an estimate and its number of rounds, for each comparison.
template <class Compare>
Coverage count(int comparisons, const Compare& compare) {
  Coverage result;
  result.comparisons = comparisons;
  std::vector<double> widths, rounds;
  for (int i = 0; i < comparisons; ++i) {
    const auto [estimate, used] = compare(static_cast<std::uint64_t>(i));
    result.missed += !(estimate.low <= kTrueRatio && kTrueRatio <= estimate.high);
    widths.push_back(std::log(estimate.high / std::max(estimate.low, 1e-9)));
    rounds.push_back(used);
  }
  result.median_width = percentile(widths, 0.5);
  result.median_rounds = percentile(rounds, 0.5);
  return result;
}

}  // namespace

Coverage coverage(const Ladder<RatioInterval>& ladder, const std::string& rung, Noise noise, int rounds,
                  int comparisons, int resamples) {
  RatioIntervalConfig config;
  config.resamples = resamples;
  return count(comparisons, [&](std::uint64_t comparison) {
    config.seed = comparison + 1;
    const auto interval = ladder.make(rung, config);
    return std::pair(simulated_rounds(noise, rounds, comparison).estimate(*interval, rounds), rounds);
  });
}

Coverage coverage_of_stopping(const Ladder<RatioInterval>& ladder, const std::string& rung, Noise noise,
                              const StoppingRule& rule, double half_width, int comparisons) {
  RatioIntervalConfig config;
  config.confidence = rule.confidence_of_rung(config.confidence);
  return count(comparisons, [&](std::uint64_t comparison) {
    config.seed = comparison + 1;
    const auto interval = ladder.make(rung, config);
    const Rounds all = simulated_rounds(noise, rule.most_rounds, comparison);
    int rounds = rule.least_rounds;
    RatioEstimate estimate = all.estimate(*interval, rounds);
    while (!rule.stops(rounds, estimate, half_width)) {
      rounds = std::min(rounds + rule.every, rule.most_rounds);
      estimate = all.estimate(*interval, rounds);
    }
    return std::pair(estimate, rounds);
  });
}

}  // namespace rung::optimization_impact
