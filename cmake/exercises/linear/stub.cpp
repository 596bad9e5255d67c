// Your product y = x W^T, in three steps. The lesson beside this file (README.md) explains them. Judge with
//
//   rung exercises linear          builds this file and judges all steps
//   rung exercises linear --hint   shows one hint for the step that does not pass yet
//
// Four lessons use this file: README.md (decode), prefill.md, integers.md and tiles.md. Each sets a goal for
// the speed. The steps judge whether the faster code is still correct. `rung generate --linear mine` runs the
// rung in the engine.

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
float my_dot([[maybe_unused]] const float* a, [[maybe_unused]] const float* b,
             [[maybe_unused]] std::int64_t n) {
  not_started("my_dot()");
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
