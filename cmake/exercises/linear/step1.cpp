// The first step of one right answer to the exercise of 03_techniques/linear.

#include "core/parallel.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/linear/mine.cpp", function));
}

}  // namespace

// Step 1. The dot product of two arrays of n numbers. n can be any number, also 0 and no multiple of 8.
// Returns the sum over i of a[i] * b[i]. Test: linear.mine.1
float my_dot(const float* a, const float* b, std::int64_t n) {
  float sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::int64_t k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

// Step 2. One row of W times all tokens. `row` has x.cols numbers, x is [tokens, in] and y [tokens, out], all
// in float32. For every token t = 0 .. x.rows - 1:
//   y[t, o] = row . x[t]
// The row of token t begins at x.ptr<float>(t) and y.ptr<float>(t), because there can be gaps between rows.
// There can be 0 tokens. The other columns of y stay as they are. A token must get the same bits whether it
// is alone or one of many, so the order of its additions must not depend on the number of tokens. Test:
// linear.mine.2
void my_row([[maybe_unused]] const float* row, [[maybe_unused]] const Tensor& x,
            [[maybe_unused]] std::int64_t o, [[maybe_unused]] const Tensor& y) {
  not_started("my_row()");
}

// Step 3. The product. weight is [out, in] = [weight.rows, weight.cols], in any format, also one of few bits.
// read_row(weight, o, to) (linear.hpp) writes row o as weight.cols float32 numbers to `to`. Each thread has
// memory of its own for kRowsForMine such rows: memory.of_this_thread<float>(), called inside the loop.
// parallel_for(threads, n, [&](std::int64_t o) { ... }) (common/core/parallel.hpp) shares the indices 0 .. n
// - 1 among the threads. Test: linear.mine.3
void mine([[maybe_unused]] const Tensor& x, [[maybe_unused]] const Tensor& weight,
          [[maybe_unused]] const Tensor& y, [[maybe_unused]] int threads,
          [[maybe_unused]] const ThreadMemory& memory) {
  not_started("mine()");
}

}  // namespace rung::linear
