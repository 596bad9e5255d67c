#pragma once

#include "seams/ops.hpp"

namespace rung {

/// The norm of `from`, written to `to`, which may be `from`. Returns `to`, or `from` where `norm` is empty.
inline Tensor apply_norm(const Ops& ops, const Norm& norm, const Tensor& from, const Tensor& to) {
  if (norm.empty()) return from;
  if (norm.kind == NormKind::layer) {
    ops.layernorm(from, norm.weight, norm.bias, norm.eps, to);
  } else {
    ops.rmsnorm(from, norm.weight, norm.eps, to);
  }
  return to;
}

}  // namespace rung
