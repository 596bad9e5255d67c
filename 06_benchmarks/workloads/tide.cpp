// Rung 3: a rate that rises and falls, rate * (1 + 0.8 sin(2 pi t / period)): day and night. Drawn by
// thinning (Lewis and Shedler 1979): a Poisson process of the highest rate, of which each request is kept
// with the share that the rate of its moment has of the highest. Bursts of `gamma` are over after a few
// requests; these last.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

constexpr double kSwing = 0.8;
constexpr double kTwoPi = 6.283185307179586;

class Tide final : public Arrivals {
 public:
  explicit Tide(const ArrivalsConfig& config)
      : rate_(config.rate), period_(config.period_s), rng_(config.seed) {}

  double gap() override {
    const double start = now_, highest = rate_ * (1 + kSwing);
    do {
      now_ += -std::log(1 - rng_.uniform()) / highest;
    } while (rng_.uniform() * highest >= rate_ * (1 + kSwing * std::sin(kTwoPi * now_ / period_)));
    return now_ - start;
  }
  double expected(double t) const override {
    return rate_ * (t + kSwing * period_ / kTwoPi * (1 - std::cos(kTwoPi * t / period_)));
  }

 private:
  double rate_, period_, now_ = 0;
  Rng rng_;
};

}  // namespace

std::unique_ptr<Arrivals> make_tide(const ArrivalsConfig& config) { return std::make_unique<Tide>(config); }

}  // namespace rung::workloads
