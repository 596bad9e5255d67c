// Rung 3 of `fusion`: the residual add and the RMS norm behind it, row by row.
//
// The norm needs the whole row's mean square before it can write its first number, so two sweeps over a row
// there must be; but a row (8 KB for 2,048 numbers) stays in L1 between them. x is read once instead of
// twice. For one token nothing is left that would need threads. The same bits; a layer norm (GPT-2) stays as
// it was.

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"
#include "ops/cpu_rows.hpp"

namespace rung::kernel_fusion {

void AddNorm::replace(Ops& ops) const {
  GateUp::replace(ops);
  ops.fuses_add_norm = fuses_add_norm;
  ops.add_norm = [plain = ops.add_norm, threads = config_.threads](
                     const Tensor& y, float scale, const Tensor& x, const Norm& norm, const Tensor& to) {
    if (!fuses_add_norm(norm)) return plain(y, scale, x, norm, to);
    const float* weight = norm.weight.ptr<float>();
    parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
      float* row = x.ptr<float>(t);
      add_scaled(y.ptr<float>(t), scale, x.cols, row);
      rmsnorm_row(row, weight, x.cols, norm.eps, to.ptr<float>(t));
    });
    return to;
  };
}

}  // namespace rung::kernel_fusion
