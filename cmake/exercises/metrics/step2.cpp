// The first 2 steps of one right answer to the exercise of 06_benchmarks/metrics.

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "core/error.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 06_benchmarks/metrics/mine.cpp", function));
}

}  // namespace

// Step 1. The nearest rank. The values are in ascending order, and values[i].value occurs values[i].count
// times, at least once. p is from 0 to 1, and n is the sum of all counts. Returns the smallest value such
// that at least ceil(p * n) of the n values are equal or smaller; for p = 0 the smallest value, and without
// values 0. Test: metrics.mine.1
double my_percentile(std::span<const CountedValue> values, double p) {
  std::uint64_t n = 0, seen = 0;
  for (const CountedValue& v : values) n += v.count;
  const double rank = std::ceil(p * static_cast<double>(n));
  for (const CountedValue& v : values) {
    seen += v.count;
    if (static_cast<double>(seen) >= rank) return v.value;
  }
  return 0;
}

// Step 2. Buckets whose bounds grow by a constant factor. Returns the bucket of a value: ln(value) /
// relative_error, rounded to the nearest integer. The value 0, which has no logarithm, is in the bucket
// kZeroBucket (metrics.hpp). The value is not negative. Test: metrics.mine.2
int my_bucket(double value, double relative_error) {
  if (value == 0) return kZeroBucket;
  return static_cast<int>(std::lround(std::log(value) / relative_error));
}

// Step 2. Returns the value that stands for all values of a bucket: the value whose logarithm, divided by
// relative_error, is `bucket`. For kZeroBucket, this is 0.
double my_middle(int bucket, double relative_error) {
  return bucket == kZeroBucket ? 0 : std::exp(bucket * relative_error);
}

namespace {

// Step 3. Quantiles of values that come one by one (common/seams/quantile.hpp describes the functions). A
// result may differ from the exact one by the share config.relative_error. You may keep all values, or only
// count how many values each bucket has. Test: metrics.mine.3
class MyQuantile final : public Quantile {
 public:
  explicit MyQuantile([[maybe_unused]] const QuantileConfig& config) {}

  // Adds a value, which is finite and at least 0.
  void add([[maybe_unused]] double value) override { not_started("add()"); }
  // Returns the value at share p of all values so far; 0 if there are none. More values may follow.
  double value([[maybe_unused]] double p) override { not_started("value()"); }
  // Returns the bytes of the values or counts that are kept: for a map, its entries times the size of an
  // entry.
  std::size_t bytes() const override { not_started("bytes()"); }
};

}  // namespace

std::unique_ptr<Quantile> make_mine(const QuantileConfig& config) {
  return std::make_unique<MyQuantile>(config);
}

}  // namespace rung::metrics
