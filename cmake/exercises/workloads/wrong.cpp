// A wrong answer: exponential gaps, whatever coefficient of variation is asked for.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Exponential final : public Arrivals {
 public:
  explicit Exponential(const ArrivalsConfig& config) : rate_(config.rate), rng_(config.seed) {}
  double gap() override { return -std::log(1 - rng_.uniform()) / rate_; }
  double expected(double t) const override { return rate_ * t; }

 private:
  double rate_;
  Rng rng_;
};

}  // namespace

std::unique_ptr<Arrivals> make_mine(const ArrivalsConfig& config) {
  return std::make_unique<Exponential>(config);
}

}  // namespace rung::workloads
