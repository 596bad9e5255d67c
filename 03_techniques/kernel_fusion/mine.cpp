// Your rung of `fusion`: the residual add and the RMS norm after it. The other steps are those of `gate_up`.
//
// Given: out, x and to [tokens, dim] in float32, weight [1, dim]. Afterwards
//   x[t]  += scale * out[t]
//   to[t]  = x[t] / sqrt(mean(x[t]^2) + eps) * weight        of the new x
// Rows may be strided: ptr<float>(t) finds them. The test is `./test.sh -R '^kernel_fusion.mine$'`;
// `rung generate --set fusion=mine` runs the rung in the engine.

#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

void mine([[maybe_unused]] const Tensor& out, [[maybe_unused]] float scale, [[maybe_unused]] const Tensor& x,
          [[maybe_unused]] const Tensor& weight, [[maybe_unused]] float eps,
          [[maybe_unused]] const Tensor& to, [[maybe_unused]] int threads) {
  // 1. One row at a time: add, and add up the squares of what comes out in the same sweep, in double.
  // 2. Then the row times 1 / sqrt(...) times weight. It is still in L1.
  // 3. Many rows: parallel_for(threads, x.rows, [&](std::int64_t t) { ... }) of core/parallel.hpp. And few?
  throw NotStarted("fusion rung 'mine' is not started: write 03_techniques/kernel_fusion/mine.cpp");
}

}  // namespace rung::kernel_fusion
