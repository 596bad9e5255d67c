// Rung 0 of `linear`: the formula, y[t, o] = sum over i of x[t, i] * W[o, i].
//
// One row of W is converted to float32 and multiplied with every token before the next row is touched,
// so W is read once per call. The conversion is the number format's own (core/dtype.hpp): this rung can
// read any format that the table knows. Threads share out the rows of W.

#include "core/parallel.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

// One accumulator, from left to right. Without -ffast-math the compiler must keep that order, so each
// addition waits for the one before it: about four cycles per weight.
float dot(const float* a, const float* b, std::int64_t n) {
  float sum = 0.0f;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

class Naive final : public Linear {
 public:
  explicit Naive(const LinearConfig& config)
      : weight_(config.weight),
        threads_(config.threads),
        memory_(config, static_cast<std::size_t>(weight_.cols) * sizeof(float)) {}

  void apply(const Tensor& x, const Tensor& y) override {
    parallel_for(threads_, weight_.rows, [&](std::int64_t o) { multiply(x, o, y.col_slice(o, 1)); });
  }

  std::int64_t piece_rows() const override { return 16; }
  void apply_piece(const Tensor& x, const PreparedRows* /*prepared*/, std::int64_t begin,
                   const Tensor& y) const override {
    for (std::int64_t i = 0; i < y.cols; ++i) multiply(x, begin + i, y.col_slice(i, 1));
  }

 private:
  /// One row of W. y [tokens, 1]
  void multiply(const Tensor& x, std::int64_t o, const Tensor& y) const {
    float* row = memory_.of_this_thread<float>();
    read_row(weight_, o, row);
    for (std::int64_t t = 0; t < x.rows; ++t) *y.ptr<float>(t) = dot(x.ptr<float>(t), row, weight_.cols);
  }

  Tensor weight_;
  int threads_;
  ThreadMemory memory_;  // one row of W for each thread
};

}  // namespace

std::unique_ptr<Linear> make_naive(const LinearConfig& config) { return std::make_unique<Naive>(config); }

}  // namespace rung::linear
