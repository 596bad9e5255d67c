// Rung 4 of `fusion`: q and k are rotated and k and v written to the cache, row by row.
//
// Three loops become one, and a key is converted to the cache's format while the row that was just rotated is
// still in L1. What it saves is one trip of k: in grouped-query models the smallest of all intermediates. The
// same bits; without RoPE there is nothing to fold and the plain write runs.

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"
#include "ops/cpu_rows.hpp"

namespace rung::kernel_fusion {

void RopeStore::replace(Ops& ops) const {
  AddNorm::replace(ops);
  ops.fuses_rope_store = [](const RopeTables* rope) { return rope != nullptr; };
  ops.rope_store = [plain = ops.rope_store, threads = config_.threads](
                       const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& positions,
                       const RopeTables* rope, const Tensor& slots, const KvView& kv) {
    if (rope == nullptr) return plain(q, k, v, positions, rope, slots, kv);
    const auto from_float = traits(kv.keys.dtype).from_float;
    parallel_for(q.rows > 8 ? threads : 1, q.rows, [&](std::int64_t t) {
      const std::int32_t position = positions.ptr<std::int32_t>()[t], slot = slots.ptr<std::int32_t>()[t];
      rotate_row(*rope, position, q.cols, q.ptr<float>(t));
      rotate_row(*rope, position, k.cols, k.ptr<float>(t));
      from_float(k.ptr<float>(t), kv.keys.row(slot), k.cols);
      from_float(v.ptr<float>(t), kv.values.row(slot), v.cols);
    });
  };
}

}  // namespace rung::kernel_fusion
