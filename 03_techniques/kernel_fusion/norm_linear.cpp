// Rung 5 of `fusion`: the norm folded into the product that follows.
//
// W (r w * x) = r (W (w * x)): the factor r of a row, 1 / sqrt(mean(x^2) + eps), may come after the product.
// The add writes w * x in the sweep in which it makes x; r is found meanwhile and multiplied onto each tile
// of the product while that is in L1. It is the same number in exact arithmetic and another one in float32,
// by a few units in the last place: the one rung whose bits differ, so it is chosen by name only. w stays
// with x and is not folded into W: quantised weights cannot take it, and mapped ones are not ours to change.

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"
#include "ops/cpu_rows.hpp"

namespace rung::kernel_fusion {

bool NormLinear::defers(const Weight& norm, const Products& reader) const {
  return fuses_add(norm) && reader.takes_factors();
}

NormedRows NormLinear::add_norm(const Tensor& out, const Tensor& x, const LayerNorm& norm, const Tensor& to,
                                const Tensor& factors) const {
  if (!norm.deferred) return RopeStore::add_norm(out, x, norm, to, factors);
  const float* weight = norm.weight.weight.ptr<float>();
  parallel_for(x.rows > 8 ? config_.threads : 1, x.rows, [&](std::int64_t t) {
    const float* add = out.ptr<float>(t);
    float* row = x.ptr<float>(t);
    float* weighted = to.ptr<float>(t);
    for (std::int64_t c = 0; c < x.cols; ++c) {
      row[c] += config_.residual_scale * add[c];
      weighted[c] = row[c] * weight[c];
    }
    factors.ptr<float>()[t] = inverse_rms(row, x.cols, config_.norm_eps);
  });
  return {to, factors};
}

}  // namespace rung::kernel_fusion
