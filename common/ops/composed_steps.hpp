#pragma once
// The plain versions of the two entries of the ops table that combine several operations.

#include "ops/apply_norm.hpp"
#include "seams/ops.hpp"

namespace rung {

/// Sets add_norm and rope_store of `ops` to functions that call its other entries one after the other. These
/// functions keep the current entries, even if the entries of `ops` are replaced later. REQUIRES: add,
/// rmsnorm, layernorm, rope and store_kv are set.
inline void compose_steps(Ops& ops) {
  Ops parts;
  parts.add = ops.add;
  parts.rmsnorm = ops.rmsnorm;
  parts.layernorm = ops.layernorm;
  ops.add_norm = [parts](const Tensor& y, float scale, const Tensor& x, const Norm& norm, const Tensor& to) {
    parts.add(y, scale, x);
    return apply_norm(parts, norm, x, to);
  };
  ops.fuses_add_norm = [](const Norm& /*norm*/) { return false; };

  ops.rope_store = [rotate = ops.rope, store = ops.store_kv](
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& positions,
                       const RopeTables* rope, const Tensor& slots, const KvView& kv) {
    if (rope != nullptr) {
      rotate(q, positions, *rope);
      rotate(k, positions, *rope);
    }
    store(k, v, slots, kv);
  };
  ops.fuses_rope_store = [](const RopeTables* /*rope*/) { return false; };
}

}  // namespace rung
