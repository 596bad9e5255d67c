// Rung 3: keep means of neighbors, few values each near both ends and many in the middle (Dunning and Ertl
// 2019, arXiv 1902.04023). The error is one of rank, not of value: P99 may come out as P98.99. So far-out
// values, which a histogram would need a bucket for each, cost nothing; between two modes, though, it may
// name a value that nobody had.

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/percentile.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

constexpr double kPi = 3.141592653589793;
constexpr std::size_t kBuffered = 2000;  // values that are sorted and merged at once

struct Centroid {
  double mean = 0, weight = 0;
};

class TDigest final : public Quantile {
 public:
  explicit TDigest(const QuantileConfig& config) : compression_(config.compression) {}

  void add(double value) override {
    buffer_.push_back({value, 1});
    if (buffer_.size() >= kBuffered) merge();
  }

  double value(double p) override {
    merge();
    if (centroids_.empty()) return 0;
    // A centroid's mean stands for the middle of its ranks; between two of them the value changes evenly.
    const double rank = static_cast<double>(nearest_rank(static_cast<std::size_t>(count_), p)) + 0.5;
    if (rank <= 0.5) return least_;
    if (rank >= count_ - 0.5) return most_;
    double before = 0, last_rank = 0.5, last_mean = least_;
    for (const Centroid& c : centroids_) {
      const double middle = before + c.weight / 2;
      if (rank <= middle) return between(last_rank, last_mean, middle, c.mean, rank);
      last_rank = middle;
      last_mean = c.mean;
      before += c.weight;
    }
    return between(last_rank, last_mean, count_ - 0.5, most_, rank);
  }
  std::size_t bytes() const override { return (centroids_.size() + kBuffered) * sizeof(Centroid); }

 private:
  static double between(double x0, double y0, double x1, double y1, double x) {
    return x1 > x0 ? y0 + (y1 - y0) * (x - x0) / (x1 - x0) : y1;
  }
  /// How many centroids there may be up to share q: steep at both ends.
  double scale(double q) const {
    return compression_ / (2 * kPi) * std::asin(std::clamp(2 * q - 1, -1.0, 1.0));
  }

  void merge() {
    if (buffer_.empty()) return;
    for (const Centroid& c : buffer_) {
      count_ += c.weight;
      least_ = std::min(least_, c.mean);
      most_ = std::max(most_, c.mean);
    }
    buffer_.insert(buffer_.end(), centroids_.begin(), centroids_.end());
    std::sort(buffer_.begin(), buffer_.end(), [](const auto& a, const auto& b) { return a.mean < b.mean; });
    centroids_.assign(1, buffer_.front());
    double before = 0;  // weight in front of the centroid that is being filled
    for (std::size_t i = 1; i < buffer_.size(); ++i) {
      Centroid& last = centroids_.back();
      const double weight = last.weight + buffer_[i].weight;
      if (scale((before + weight) / count_) - scale(before / count_) <= 1) {
        last.mean += (buffer_[i].mean - last.mean) * buffer_[i].weight / weight;
        last.weight = weight;
      } else {
        before += last.weight;
        centroids_.push_back(buffer_[i]);
      }
    }
    buffer_.clear();
  }

  double compression_, count_ = 0, least_ = HUGE_VAL, most_ = 0;
  std::vector<Centroid> centroids_, buffer_;
};

}  // namespace

std::unique_ptr<Quantile> make_t_digest(const QuantileConfig& config) {
  return std::make_unique<TDigest>(config);
}

}  // namespace rung::metrics
