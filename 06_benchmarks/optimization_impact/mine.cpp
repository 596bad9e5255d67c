// Your bootstrap interval of a ratio, in four steps. The lesson beside this file explains them. Judge with
//
//   rung exercises optimization_impact          builds this file and judges all steps
//   rung exercises optimization_impact --hint   shows one hint for the step that does not pass yet

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/error.hpp"
#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 06_benchmarks/optimization_impact/mine.cpp", function));
}

}  // namespace

// Step 1. The ratio of one resample. `rounds` has the numbers of the rounds that were drawn, counted from 0;
// a round may occur several times. Returns the sum of first_s over these rounds, divided by the sum of
// second_s over them. Test: optimization_impact.mine.1
double my_ratio([[maybe_unused]] std::span<const double> first_s,
                [[maybe_unused]] std::span<const double> second_s,
                [[maybe_unused]] std::span<const int> rounds) {
  not_started("my_ratio()");
}

// Step 2. The ratios of `resamples` resamples, in the order in which they are drawn. Of n rounds, a resample
// draws n, each with rng.below(n), one after the other. Both times of a round stay together. Test:
// optimization_impact.mine.2
std::vector<double> my_resamples([[maybe_unused]] std::span<const double> first_s,
                                 [[maybe_unused]] std::span<const double> second_s,
                                 [[maybe_unused]] int resamples, [[maybe_unused]] Rng& rng) {
  not_started("my_resamples()");
}

// Step 3. The percentile interval. A share (1 - confidence) / 2 of the resampled ratios, rounded to a whole
// number of them, is discarded at each end. The interval is the range of the others, extended where `ratio`
// is outside. Test: optimization_impact.mine.3
RatioEstimate my_interval([[maybe_unused]] double ratio, [[maybe_unused]] std::vector<double> resampled,
                          [[maybe_unused]] double confidence) {
  not_started("my_interval()");
}

// Step 4. The correction for few rounds. low / ratio and high / ratio say how far the ends are from the
// ratio. Returns the estimate with both raised to the power `factor`, and the same ratio. Test:
// optimization_impact.mine.4
RatioEstimate my_stretched([[maybe_unused]] const RatioEstimate& estimate, [[maybe_unused]] double factor) {
  not_started("my_stretched()");
}

namespace {

// Step 4. The whole estimate (common/seams/ratio_interval.hpp describes it), from config.resamples resamples
// with the seed config.seed. few_rounds_factor() (optimization_impact.hpp) gives the factor of the
// correction, and of_one_round() is the estimate if there is only one round.
class MyRatioInterval final : public RatioInterval {
 public:
  explicit MyRatioInterval([[maybe_unused]] const RatioIntervalConfig& config) {}

  RatioEstimate estimate([[maybe_unused]] std::span<const double> first_s,
                         [[maybe_unused]] std::span<const double> second_s) const override {
    not_started("estimate()");
  }
};

}  // namespace

std::unique_ptr<RatioInterval> make_mine(const RatioIntervalConfig& config) {
  return std::make_unique<MyRatioInterval>(config);
}

}  // namespace rung::optimization_impact
