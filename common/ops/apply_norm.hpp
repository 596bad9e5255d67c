#pragma once

#include "model/weights.hpp"
#include "seams/ops.hpp"

namespace rung {

/// The family's norm of `from`, written to `to`; `from` itself where there is none at this place.
inline Tensor apply_norm(const Ops& ops, NormKind kind, float eps, const Weight& norm, const Tensor& from,
                         const Tensor& to) {
  if (norm.empty()) return from;
  if (kind == NormKind::layer) {
    ops.layernorm(from, norm.weight, norm.bias, eps, to);
  } else {
    ops.rmsnorm(from, norm.weight, eps, to);
  }
  return to;
}

}  // namespace rung
