// Rung 1: keep all values, and put in its place only the one that is asked for. Quickselect throws away the
// half in which it cannot be, so the work is n + n / 2 + n / 4 + ... = 2 n and not n log n. Still all values
// are kept.

#include <algorithm>
#include <vector>

#include "core/percentile.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

class Select final : public Quantile {
 public:
  void add(double value) override { values_.push_back(value); }
  double value(double p) override {
    if (values_.empty()) return 0;
    const auto at = values_.begin() + static_cast<std::ptrdiff_t>(nearest_rank(values_.size(), p));
    std::nth_element(values_.begin(), at, values_.end());
    return *at;
  }
  std::size_t bytes() const override { return values_.size() * sizeof(double); }

 private:
  std::vector<double> values_;
};

}  // namespace

std::unique_ptr<Quantile> make_select(const QuantileConfig& /*config*/) { return std::make_unique<Select>(); }

}  // namespace rung::metrics
