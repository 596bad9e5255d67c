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

bool AddNorm::fuses_add(const Weight& norm) const { return !norm.empty() && config_.norm == NormKind::rms; }

Tensor AddNorm::add_norm(const Tensor& out, const Tensor& x, const Weight& norm, const Tensor& to) const {
  if (!fuses_add(norm)) return GateUp::add_norm(out, x, norm, to);
  const float* weight = norm.weight.ptr<float>();
  parallel_for(x.rows > 8 ? config_.threads : 1, x.rows, [&](std::int64_t t) {
    float* row = x.ptr<float>(t);
    add_scaled(out.ptr<float>(t), config_.residual_scale, x.cols, row);
    rmsnorm_row(row, weight, x.cols, config_.norm_eps, to.ptr<float>(t));
  });
  return to;
}

}  // namespace rung::kernel_fusion
