// Rung 4 of `linear`: whole numbers. x is rounded to 8 bits as well, and bytes are multiplied by bytes.
//
// A block of 32 products needs no float until its end: sum_i (s q_i) (s' x_i) = s s' sum_i q_i x_i. The inner
// sum is exact, whatever its order, and a processor multiplies four times as many bytes as floats at a time.
// The price is the rounding of x, at most half a step of max|x| / 127 in each block (quantised_rows.hpp).
// This file is for reading: it says which numbers come out. The rung above gives the same bits, fast.

#include <cmath>

#include "core/parallel.hpp"
#include "linear.hpp"
#include "quantised_rows.hpp"

namespace rung::linear {
namespace {

constexpr int kHalf = kIntegerBlock / 2;

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, int n) {
  std::int32_t sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

class Integers final : public Linear {
 public:
  explicit Integers(const LinearConfig& config)
      : weight_(config.weight),
        threads_(config.threads),
        halves_(scales_per_block(config.weight.dtype)),
        minimum_(has_minimum(config.weight.dtype)) {}

  Activations activations() const override { return Activations::int8; }

  void apply(const Tensor& x, const Tensor& y) override {
    QuantisedRows& rows = rows_of_this_thread();
    rows.assign(x, {halves_, 0, 1}, threads_);
    parallel_for(threads_, weight_.rows, [&](std::int64_t o) {
      thread_local std::vector<IntegerBlock> row;
      row.resize(static_cast<std::size_t>(rows.blocks()));
      read_integers(weight_.dtype, weight_.row(o), weight_.cols, row.data());
      for (std::int64_t t = 0; t < x.rows; ++t) y.ptr<float>(t)[o] = multiply(row, rows, t);
    });
  }

 private:
  /// One row of W times one token, block after block. The order of these operations is the rung's definition.
  float multiply(const std::vector<IntegerBlock>& row, const QuantisedRows& x, std::int64_t t) const {
    const std::int8_t* quants = x.quants(t);
    const float* scaled_sum = x.scaled_sums(t);
    float sum = 0.0f;
    for (std::size_t b = 0; b < row.size(); ++b) {
      const float x_scale = x.scales(t)[b];
      for (int h = 0; h < halves_; ++h, ++scaled_sum) {
        const int n = kIntegerBlock / halves_;
        const std::int32_t product = dot(row[b].quants + h * kHalf, quants + h * kHalf, n);
        sum = std::fma(static_cast<float>(product), row[b].scale[h] * x_scale, sum);
        if (minimum_) sum = std::fma(row[b].minimum[h], *scaled_sum, sum);
      }
      quants += kIntegerBlock;
    }
    return sum;
  }

  Tensor weight_;
  int threads_;
  int halves_;
  bool minimum_;
};

}  // namespace

std::unique_ptr<Linear> make_int8(const LinearConfig& config) { return std::make_unique<Integers>(config); }

}  // namespace rung::linear
