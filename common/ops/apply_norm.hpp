#pragma once

#include "seams/ops.hpp"

namespace rung {

/// Writes the norm of `from` to `to`, which may be `from`, and returns `to`. If `norm` is empty, writes
/// nothing and returns `from`.
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
