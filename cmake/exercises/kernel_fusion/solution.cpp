// One right answer to the exercise of 03_techniques/kernel_fusion; the judge of exercises compiles it as
// mine.cpp.

#include <cmath>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

// Step 1. The add of one row, and the sum of squares in the same loop. out and row have n numbers.
//   row[i] = row[i] + scale * out[i]
// Returns the sum of row[i]^2 over the new numbers. Add up the squares in double: next to 4,096^2, a float
// loses an added 1. Test: kernel_fusion.mine.1
double my_add(const float* out, float scale, std::int64_t n, float* row) {
  double squares = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    row[i] += scale * out[i];
    squares += static_cast<double>(row[i]) * static_cast<double>(row[i]);
  }
  return squares;
}

// Step 2. The norm of one row. row, weight and to have n numbers. `squares` is the sum that step 1 returned.
//   to[i] = row[i] / sqrt(squares / n + eps) * weight[i]
// The root is the same for all i, so compute it once. Test: kernel_fusion.mine.2
void my_norm(const float* row, double squares, const float* weight, float eps, std::int64_t n, float* to) {
  const double mean = squares / static_cast<double>(n);
  const auto factor = static_cast<float>(1 / std::sqrt(mean + static_cast<double>(eps)));
  for (std::int64_t i = 0; i < n; ++i) to[i] = row[i] * factor * weight[i];
}

// Step 3. All rows: the steps 1 and 2 for every token t = 0 .. x.rows - 1. out, x and to are [tokens, dim] in
// float32, and dim is x.cols. Rows can have gaps between them, so find the row of token t with
// x.ptr<float>(t). weight [1, dim] has one row, weight.ptr<float>(). Finish a row before you start the next
// one: it is still in the first-level cache then. parallel_for(threads, n, [&](std::int64_t t) { ... })
// (common/core/parallel.hpp) shares the indices 0 .. n - 1 among the threads. Test: kernel_fusion.mine.3
void mine(const Tensor& out, float scale, const Tensor& x, const Tensor& weight, float eps, const Tensor& to,
          int threads) {
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    float* row = x.ptr<float>(t);
    const double squares = my_add(out.ptr<float>(t), scale, x.cols, row);
    my_norm(row, squares, weight.ptr<float>(), eps, x.cols, to.ptr<float>(t));
  });
}

}  // namespace rung::kernel_fusion
