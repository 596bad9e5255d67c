// Rung 4 of `linear`: whole numbers. x is rounded to 8 bits as well, and bytes are multiplied by bytes.
//
// A block of 32 products needs no float until its end: sum_i (s q_i) (s' x_i) = s s' sum_i q_i x_i. The inner
// sum is exact, whatever its order, and a processor multiplies four times as many bytes as floats at a time.
// The price is the rounding of x, at most half a step of max|x| / 127 in each block (quantized_rows.hpp).
// This file is for reading: it says which numbers come out. The rung above gives the same bits, fast.

#include <cmath>

#include "core/parallel.hpp"
#include "linear.hpp"
#include "quantized_rows.hpp"

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
        minimum_(has_minimum(config.weight.dtype)),
        rows_(config, halves_),
        memory_(config, static_cast<std::size_t>(weight_.cols / kIntegerBlock) * sizeof(IntegerBlock)) {}

  Activations activations() const override { return Activations::int8; }

  void apply(const Tensor& x, const Tensor& y) override {
    rows_.assign(x, {halves_, 0, 1}, threads_);
    parallel_for(threads_, weight_.rows, [&](std::int64_t o) {
      auto* const row = memory_.of_this_thread<IntegerBlock>();
      read_integers(weight_.dtype, weight_.row(o), weight_.cols, row);
      for (std::int64_t t = 0; t < x.rows; ++t) y.ptr<float>(t)[o] = multiply(row, t);
    });
  }

 private:
  /// One row of W times one token, block after block. The order of these operations is the rung's definition.
  float multiply(const IntegerBlock* row, std::int64_t t) const {
    const std::int8_t* quants = rows_.quants(t);
    const float* scaled_sum = rows_.scaled_sums(t);
    float sum = 0.0f;
    for (std::int64_t b = 0; b < rows_.blocks(); ++b) {
      const float x_scale = rows_.scales(t)[b];
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
  QuantizedRows rows_;   // x
  ThreadMemory memory_;  // one row of W for each thread
};

}  // namespace

std::unique_ptr<Linear> make_int8(const LinearConfig& config) { return std::make_unique<Integers>(config); }

}  // namespace rung::linear
