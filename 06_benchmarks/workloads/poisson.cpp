// Rung 1: people who do not know of each other. In every moment a request is as likely as in any other,
// whatever came before; then the gaps are exponential, and -log(1 - u) / rate draws one from a uniform u.
// Short gaps are the most frequent ones: requests bunch up with no reason but chance.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Poisson final : public Arrivals {
 public:
  explicit Poisson(const ArrivalsConfig& config) : rate_(config.rate), rng_(config.seed) {}
  double gap() override { return -std::log(1 - rng_.uniform()) / rate_; }
  double expected(double t) const override { return rate_ * t; }

 private:
  double rate_;
  Rng rng_;
};

}  // namespace

std::unique_ptr<Arrivals> make_poisson(const ArrivalsConfig& config) {
  return std::make_unique<Poisson>(config);
}

}  // namespace rung::workloads
