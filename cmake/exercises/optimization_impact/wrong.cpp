// A wrong answer: each side draws its own rounds, so the times of a round do not stay together.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "optimization_impact.hpp"

namespace rung::optimization_impact {
// Step 1. The ratio of one resample. `rounds` has the numbers of the rounds that were drawn, counted from 0;
// a round may occur several times. Returns the sum of first_s over these rounds, divided by the sum of
// second_s over them. Test: optimization_impact.mine.1
double my_ratio(std::span<const double> first_s, std::span<const double> second_s,
                std::span<const int> rounds) {
  double first = 0, second = 0;
  for (const int round : rounds) {
    first += first_s[static_cast<std::size_t>(round)];
    second += second_s[static_cast<std::size_t>(round)];
  }
  return first / second;
}

// Step 2. The ratios of `resamples` resamples, in the order in which they are drawn. Of n rounds, a resample
// draws n, each with rng.below(n), one after the other. Both times of a round stay together. Test:
// optimization_impact.mine.2
std::vector<double> my_resamples(std::span<const double> first_s, std::span<const double> second_s,
                                 int resamples, Rng& rng) {
  std::vector<double> ratios;
  const std::size_t n = first_s.size();
  for (int i = 0; i < resamples; ++i) {
    double first = 0, second = 0;
    for (std::size_t draw = 0; draw < n; ++draw) {
      first += first_s[rng.below(n)];
      second += second_s[rng.below(n)];
    }
    ratios.push_back(first / second);
  }
  return ratios;
}

// Step 3. The percentile interval. A share (1 - confidence) / 2 of the resampled ratios, rounded to a whole
// number of them, is discarded at each end. The interval is the range of the others, extended where `ratio`
// is outside. Test: optimization_impact.mine.3
RatioEstimate my_interval(double ratio, std::vector<double> resampled, double confidence) {
  std::sort(resampled.begin(), resampled.end());
  const std::size_t size = resampled.size();
  const auto discarded =
      static_cast<std::size_t>(std::lround(static_cast<double>(size) * (1 - confidence) / 2));
  return {ratio, std::min(ratio, resampled[discarded]), std::max(ratio, resampled[size - 1 - discarded])};
}

// Step 4. The correction for few rounds. low / ratio and high / ratio say how far the ends are from the
// ratio. Returns the estimate with both raised to the power `factor`, and the same ratio. Test:
// optimization_impact.mine.4
RatioEstimate my_stretched(const RatioEstimate& estimate, double factor) {
  const double ratio = estimate.ratio;
  return {ratio, ratio * std::pow(estimate.low / ratio, factor),
          ratio * std::pow(estimate.high / ratio, factor)};
}

namespace {

// Step 4. The whole estimate (common/seams/ratio_interval.hpp describes it), from config.resamples resamples
// with the seed config.seed. few_rounds_factor() (optimization_impact.hpp) gives the factor of the
// correction, and of_one_round() is the estimate if there is only one round.
class MyRatioInterval final : public RatioInterval {
 public:
  explicit MyRatioInterval(const RatioIntervalConfig& config) : config_(config) {}

  RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const override {
    const int n = static_cast<int>(first_s.size());
    if (n == 1) return of_one_round(first_s[0], second_s[0]);
    std::vector<int> all(first_s.size());
    std::iota(all.begin(), all.end(), 0);
    Rng rng(config_.seed);
    const RatioEstimate percentile =
        my_interval(my_ratio(first_s, second_s, all), my_resamples(first_s, second_s, config_.resamples, rng),
                    config_.confidence);
    return my_stretched(percentile, few_rounds_factor(n, config_.confidence));
  }

 private:
  RatioIntervalConfig config_;
};

}  // namespace

std::unique_ptr<RatioInterval> make_mine(const RatioIntervalConfig& config) {
  return std::make_unique<MyRatioInterval>(config);
}

}  // namespace rung::optimization_impact
