// Your rung of `linear`: y[t, o] = sum over i of x[t, i] * W[o, i].
//
// Given: x [tokens, in] and y [tokens, out] in float32, weight [out, in] in any format, and read_row(),
// which turns one row of it into float32. The last rows and columns may not fill a block.
//
// Four lessons use this file: README.md (decode), prefill.md, integers.md and tiles.md. Each sets one goal.
// The test is `./test.sh -R '^linear.mine$'`; `rung generate --linear mine` runs the rung in the engine.

#include "core/parallel.hpp"
#include "linear.hpp"

namespace rung::linear {

void mine([[maybe_unused]] const Tensor& x, [[maybe_unused]] const Tensor& weight,
          [[maybe_unused]] const Tensor& y, [[maybe_unused]] int threads,
          [[maybe_unused]] const ThreadMemory& memory) {
  // 1. Read a row of W once, into memory.of_this_thread<float>(), and multiply it with all tokens:
  //    x.ptr<float>(t).
  // 2. Take four tokens at a time, a running sum each: one load of W feeds four multiplications.
  // 3. Share out the rows of W: parallel_for(threads, weight.rows, [&](std::int64_t o) { ... });
  throw NotStarted("linear rung 'mine' is not started: write 03_techniques/linear/mine.cpp");
}

}  // namespace rung::linear
