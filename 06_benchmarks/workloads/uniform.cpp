// Rung 0: a clock. One request every 1 / rate seconds. Nobody ever waits for a neighbor, so what it measures
// is the best that a server can look like, and no server meets it.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

class Uniform final : public Arrivals {
 public:
  explicit Uniform(const ArrivalsConfig& config) : rate_(config.rate) {}
  double gap() override { return 1 / rate_; }
  double expected(double t) const override { return rate_ * t; }

 private:
  double rate_;
};

}  // namespace

std::unique_ptr<Arrivals> make_uniform(const ArrivalsConfig& config) {
  return std::make_unique<Uniform>(config);
}

}  // namespace rung::workloads
