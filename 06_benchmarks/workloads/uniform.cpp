// Rung 0: a clock, with one request every 1 / rate seconds. No request arrives close to another one, so a
// server looks better under this load than under any load of real users.

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
