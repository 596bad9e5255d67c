// One right answer to the exercise of 06_benchmarks/workloads; the judge of exercises compiles it as
// mine.cpp.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

/// A gamma variable of whole shape is a sum of exponential ones; the fraction that is left comes from Johnk's
/// method: a beta variable times an exponential one.
class Sum final : public Arrivals {
 public:
  explicit Sum(const ArrivalsConfig& config)
      : rate_(config.rate), shape_(1 / (config.cv * config.cv)), rng_(config.seed) {}

  double gap() override {
    const double whole = std::floor(shape_), rest = shape_ - whole;
    double sum = 0;
    for (int i = 0; i < static_cast<int>(whole); ++i) sum += exponential();
    if (rest > 0) sum += fraction(rest);
    return sum / (shape_ * rate_);
  }
  double expected(double t) const override { return rate_ * t; }

 private:
  double exponential() { return -std::log(1 - rng_.uniform()); }
  double fraction(double k) {
    for (;;) {
      const double x = std::pow(1 - rng_.uniform(), 1 / k), y = std::pow(1 - rng_.uniform(), 1 / (1 - k));
      if (x + y <= 1 && x + y > 0) return x / (x + y) * exponential();
    }
  }

  double rate_, shape_;
  Rng rng_;
};

}  // namespace

std::unique_ptr<Arrivals> make_mine(const ArrivalsConfig& config) { return std::make_unique<Sum>(config); }

}  // namespace rung::workloads
