// Rung 0: keep all values, sort them, count. The definition, and n log n comparisons for the first question
// after a value came in.

#include <algorithm>
#include <vector>

#include "core/percentile.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

class Sorted final : public Quantile {
 public:
  void add(double value) override {
    values_.push_back(value);
    sorted_ = false;
  }
  double value(double p) override {
    if (values_.empty()) return 0;
    if (!sorted_) std::sort(values_.begin(), values_.end());
    sorted_ = true;
    return values_[nearest_rank(values_.size(), p)];
  }
  std::size_t bytes() const override { return values_.size() * sizeof(double); }

 private:
  std::vector<double> values_;
  bool sorted_ = false;
};

}  // namespace

std::unique_ptr<Quantile> make_sorted(const QuantileConfig& /*config*/) { return std::make_unique<Sorted>(); }

}  // namespace rung::metrics
