// Changes against `paired`: corrects the interval for few rounds. The spread of n values underestimates the
// spread of all rounds by sqrt((n - 1) / n) on average, and the estimate itself is uncertain, which Student's
// t distribution describes and the normal distribution does not (Hesterberg 2015). Both ends move away from
// the ratio by the same power, so exchanging the two sides gives the reciprocal interval.

#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

class Stretched final : public RatioInterval {
 public:
  explicit Stretched(const RatioIntervalConfig& config)
      : confidence_(config.confidence), paired_(make_paired(config)) {}

  RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const override {
    RatioEstimate e = paired_->estimate(first_s, second_s);
    if (first_s.size() == 1) return e;
    const double factor = few_rounds_factor(static_cast<int>(first_s.size()), confidence_);
    e.low = e.ratio * std::pow(e.low / e.ratio, factor);
    e.high = e.ratio * std::pow(e.high / e.ratio, factor);
    return e;
  }

 private:
  double confidence_;
  std::unique_ptr<RatioInterval> paired_;
};

}  // namespace

std::unique_ptr<RatioInterval> make_stretched(const RatioIntervalConfig& config) {
  return std::make_unique<Stretched>(config);
}

}  // namespace rung::optimization_impact
