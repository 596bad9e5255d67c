// The ratio of two means, with an interval from the two standard deviations: what "12.1 ± 0.3 ms against
// 10.4 ± 0.2 ms" says. It ignores which times were measured in the same round. If the machine becomes slower
// during the comparison, the drift counts as noise of both sides.

#include <numeric>

#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

struct MeanAndError {
  double mean, error;  // the standard error of the mean, relative to the mean
};

MeanAndError mean_and_error(std::span<const double> seconds) {
  const double n = static_cast<double>(seconds.size());
  const double mean = std::accumulate(seconds.begin(), seconds.end(), 0.0) / n;
  double squares = 0;
  for (const double s : seconds) squares += (s - mean) * (s - mean);
  return {mean, std::sqrt(squares / (n - 1) / n) / mean};
}

class Means final : public RatioInterval {
 public:
  explicit Means(const RatioIntervalConfig& config) : z_(normal_quantile(config.confidence)) {}

  RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const override {
    if (first_s.size() == 1) return of_one_round(first_s[0], second_s[0]);
    const MeanAndError first = mean_and_error(first_s), second = mean_and_error(second_s);
    const double ratio = first.mean / second.mean;
    // The relative error of a quotient, by the delta method.
    const double error = z_ * std::hypot(first.error, second.error);
    return {ratio, ratio * std::max(0.0, 1 - error), ratio * (1 + error)};
  }

 private:
  double z_;
};

}  // namespace

std::unique_ptr<RatioInterval> make_means(const RatioIntervalConfig& config) {
  return std::make_unique<Means>(config);
}

}  // namespace rung::optimization_impact
