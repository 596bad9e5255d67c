// Changes against `paired`: the center is the median of the ratios of the rounds. A few disturbed rounds do
// not move it, however slow they were. The interval always ends at ratios of rounds, or midway between two,
// so with few rounds it takes only a few values: with five rounds, it cannot reach 95 %.

#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

/// Returns the middle value, or the geometric mean of the two middle values. Reorders `values`.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return std::sqrt(*std::max_element(values.begin(), middle) * *middle);
}

class Median final : public RatioInterval {
 public:
  explicit Median(const RatioIntervalConfig& config) : config_(config) {}

  RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const override {
    const std::size_t n = first_s.size();
    if (n == 1) return of_one_round(first_s[0], second_s[0]);
    std::vector<double> ratios(n), drawn(n), resampled;
    for (std::size_t round = 0; round < n; ++round) ratios[round] = first_s[round] / second_s[round];
    Rng rng(config_.seed);
    for (int i = 0; i < config_.resamples; ++i) {
      for (double& ratio : drawn) ratio = ratios[rng.below(n)];
      resampled.push_back(median_of(drawn));
    }
    return percentile_interval(median_of(ratios), resampled, config_.confidence);
  }

 private:
  RatioIntervalConfig config_;
};

}  // namespace

std::unique_ptr<RatioInterval> make_median(const RatioIntervalConfig& config) {
  return std::make_unique<Median>(config);
}

}  // namespace rung::optimization_impact
