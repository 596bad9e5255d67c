// Rung 2: count in buckets whose bounds grow by a constant factor g, and keep no value at all. With g = (1 +
// e) / (1 - e) the middle of a bucket is within a share e of everything in it, whatever the distribution
// (DDSketch: Masson et al. 2019, arXiv 1908.10693). Its size does not grow with the values, and two of them
// can be added.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/percentile.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

constexpr double kLeast = 1e-9, kMost = 1e9;  // what is outside counts as 0, or as the most

class LogHistogram final : public Quantile {
 public:
  explicit LogHistogram(const QuantileConfig& config)
      : growth_((1 + config.relative_error) / (1 - config.relative_error)), log_growth_(std::log(growth_)) {
    counts_.resize(bucket(kMost) + 1);
  }

  void add(double value) override {
    ++count_;
    if (value < kLeast) {
      ++zeros_;
    } else {
      ++counts_[bucket(std::min(value, kMost))];
    }
  }
  double value(double p) override {
    if (count_ == 0) return 0;
    std::uint64_t left = nearest_rank(count_, p);  // values below the one that is wanted
    if (left < zeros_) return 0;
    left -= zeros_;
    std::size_t b = 0;
    for (; left >= counts_[b]; ++b) left -= counts_[b];
    // Bucket b holds (kLeast g^(b - 1), kLeast g^b]; this is equally far, as a share, from both ends.
    return kLeast * std::exp(static_cast<double>(b) * log_growth_) * 2 / (growth_ + 1);
  }
  std::size_t bytes() const override { return counts_.size() * sizeof(counts_[0]); }

 private:
  std::size_t bucket(double value) const {
    return static_cast<std::size_t>(std::max(0.0, std::ceil(std::log(value / kLeast) / log_growth_)));
  }

  double growth_, log_growth_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0, zeros_ = 0;
};

}  // namespace

std::unique_ptr<Quantile> make_log_histogram(const QuantileConfig& config) {
  return std::make_unique<LogHistogram>(config);
}

}  // namespace rung::metrics
