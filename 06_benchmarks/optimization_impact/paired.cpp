// Changes against `unpaired`: a resample draws rounds, and takes both times of each. A slow minute slows both
// times of its rounds, so their ratio remains, and drift no longer counts as noise. With few rounds the
// interval is too narrow.

#include <numeric>

#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

class Paired final : public RatioInterval {
 public:
  explicit Paired(const RatioIntervalConfig& config) : config_(config) {}

  RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const override {
    const std::size_t n = first_s.size();
    if (n == 1) return of_one_round(first_s[0], second_s[0]);
    Rng rng(config_.seed);
    std::vector<double> resampled;
    for (int i = 0; i < config_.resamples; ++i) {
      double first = 0, second = 0;
      for (std::size_t draw = 0; draw < n; ++draw) {
        const std::size_t round = rng.below(n);
        first += first_s[round];
        second += second_s[round];
      }
      resampled.push_back(first / second);
    }
    const double first = std::accumulate(first_s.begin(), first_s.end(), 0.0);
    const double second = std::accumulate(second_s.begin(), second_s.end(), 0.0);
    return percentile_interval(first / second, resampled, config_.confidence);
  }

 private:
  RatioIntervalConfig config_;
};

}  // namespace

std::unique_ptr<RatioInterval> make_paired(const RatioIntervalConfig& config) {
  return std::make_unique<Paired>(config);
}

}  // namespace rung::optimization_impact
