// Your residual add and the RMS norm that follows it, in three steps. The lesson beside this file explains
// them. Judge with
//
//   rung exercises kernel_fusion          builds this file and judges all steps
//   rung exercises kernel_fusion --hint   shows one hint for the step that does not pass yet
//
// The rung replaces the entry `add_norm` of the table of operations by mine(). Its other steps are those of
// the rung `gate_up`.

#include <cmath>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 03_techniques/kernel_fusion/mine.cpp", function));
}

}  // namespace

// Step 1. The add of one row, and the sum of squares in the same loop. out and row have n numbers.
//   row[i] = row[i] + scale * out[i]
// Returns the sum of row[i]^2 over the new numbers. Add up the squares in double: next to 4,096^2, a float
// loses an added 1. Test: kernel_fusion.mine.1
double my_add([[maybe_unused]] const float* out, [[maybe_unused]] float scale,
              [[maybe_unused]] std::int64_t n, [[maybe_unused]] float* row) {
  not_started("my_add()");
}

// Step 2. The norm of one row. row, weight and to have n numbers. `squares` is the sum that step 1 returned.
//   to[i] = row[i] / sqrt(squares / n + eps) * weight[i]
// The root is the same for all i, so compute it once. Test: kernel_fusion.mine.2
void my_norm([[maybe_unused]] const float* row, [[maybe_unused]] double squares,
             [[maybe_unused]] const float* weight, [[maybe_unused]] float eps,
             [[maybe_unused]] std::int64_t n, [[maybe_unused]] float* to) {
  not_started("my_norm()");
}

// Step 3. All rows: the steps 1 and 2 for every token t = 0 .. x.rows - 1. out, x and to are [tokens, dim] in
// float32, and dim is x.cols. Rows can have gaps between them, so find the row of token t with
// x.ptr<float>(t). weight [1, dim] has one row, weight.ptr<float>(). Finish a row before you start the next
// one: it is still in the first-level cache then. parallel_for(threads, n, [&](std::int64_t t) { ... })
// (common/core/parallel.hpp) shares the indices 0 .. n - 1 among the threads. Test: kernel_fusion.mine.3
void mine([[maybe_unused]] const Tensor& out, [[maybe_unused]] float scale, [[maybe_unused]] const Tensor& x,
          [[maybe_unused]] const Tensor& weight, [[maybe_unused]] float eps,
          [[maybe_unused]] const Tensor& to, [[maybe_unused]] int threads) {
  not_started("mine()");
}

}  // namespace rung::kernel_fusion
