// Rung 1 of `linear`: the same walk, with the products done by Eigen.
//
// A block of kBlockRows rows of W becomes float32 (f32 weights are used where they lie), then every token
// is one matrix-vector product with it. Eigen adds four partial sums at a time and shares each load of x
// among eight rows.
// Why not one matrix-matrix product? Eigen chooses the order of its sums by the shape it sees: a token
// would come out differently alone and in a batch of ten. Here Eigen always sees the same shape: blocks
// start at multiples of kBlockRows whatever the threads, and the number of tokens is only a loop count.

#include <Eigen/Core>

#include <algorithm>

#include "core/parallel.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

constexpr std::int64_t kBlockRows = 32;  // [32, 2048] float32 is 256 KB: it stays in L2 for all tokens

using Block = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
                         Eigen::Unaligned, Eigen::OuterStride<>>;
using Input = Eigen::Map<const Eigen::VectorXf>;
using Output = Eigen::Map<Eigen::VectorXf>;

class ByEigen final : public Linear {
 public:
  explicit ByEigen(const LinearConfig& config) : weight_(config.weight), threads_(config.threads) {
    if (weight_.dtype == DType::f32) return;
    memory_ = ThreadMemory(config, static_cast<std::size_t>(kBlockRows * weight_.cols) * sizeof(float));
  }

  void apply(const Tensor& x, const Tensor& y) override {
    const std::int64_t blocks = (weight_.rows + kBlockRows - 1) / kBlockRows;
    parallel_for(threads_, blocks, [&](std::int64_t b) {
      const std::int64_t first = b * kBlockRows;
      const Block block = read_block(first, std::min(kBlockRows, weight_.rows - first));
      for (std::int64_t t = 0; t < x.rows; ++t) {
        Output(y.ptr<float>(t) + first, block.rows()).noalias() =
            block * Input(x.ptr<float>(t), weight_.cols);
      }
    });
  }

 private:
  /// Rows [first, first + rows) of W as float32.
  Block read_block(std::int64_t first, std::int64_t rows) const {
    if (weight_.dtype == DType::f32) {
      return {weight_.ptr<float>(first), rows, weight_.cols, Eigen::OuterStride<>(weight_.stride)};
    }
    float* block = memory_.of_this_thread<float>();
    for (std::int64_t r = 0; r < rows; ++r) read_row(weight_, first + r, block + r * weight_.cols);
    return {block, rows, weight_.cols, Eigen::OuterStride<>(weight_.cols)};
  }

  Tensor weight_;
  int threads_;
  ThreadMemory memory_;  // a block of rows for each thread
};

}  // namespace

std::unique_ptr<Linear> make_eigen(const LinearConfig& config) { return std::make_unique<ByEigen>(config); }

}  // namespace rung::linear
