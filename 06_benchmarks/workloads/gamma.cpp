// Rung 2: gaps of any unevenness. Gamma-distributed with shape k = 1 / cv^2: their mean stays 1 / rate, their
// standard deviation is cv times that. k = 1 is `poisson`; k below 1 makes bursts with long pauses between
// them. (vLLM's `--burstiness` is k.) Drawn by the method of Marsaglia and Tsang (2000).

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Gamma final : public Arrivals {
 public:
  explicit Gamma(const ArrivalsConfig& config)
      : rate_(config.rate), shape_(1 / (config.cv * config.cv)), rng_(config.seed) {}

  double gap() override {
    if (shape_ >= 1) return draw(shape_) / (shape_ * rate_);
    // Below 1 the density has no bound. A draw of shape + 1, times u^(1 / shape), has the shape that is
    // wanted.
    const double larger = draw(shape_ + 1);
    return larger * std::pow(1 - rng_.uniform(), 1 / shape_) / (shape_ * rate_);
  }
  double expected(double t) const override { return rate_ * t; }

 private:
  /// A gamma variable of shape `k` >= 1 and scale 1: d v of a normal x, with v = (1 + c x)^3, is nearly one
  /// already; a few draws are refused to make it exact.
  double draw(double k) {
    const double d = k - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = rng_.normal(), root = 1 + c * x;
      if (root <= 0) continue;
      const double v = root * root * root;
      if (std::log(1 - rng_.uniform()) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
  }

  double rate_, shape_;
  Rng rng_;
};

}  // namespace

std::unique_ptr<Arrivals> make_gamma(const ArrivalsConfig& config) { return std::make_unique<Gamma>(config); }

}  // namespace rung::workloads
