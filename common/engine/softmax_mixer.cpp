// Attention and the operations around it in a layer: products, norms of q and k, RoPE, and writing to the
// cache.

#include "engine/softmax_mixer.hpp"

#include <utility>

#include "ops/apply_norm.hpp"

namespace rung {

SoftmaxMixer::SoftmaxMixer(Parts parts, const ModelConfig& model, const Ops& ops, const Workplace& place,
                           int max_tokens)
    : parts_(std::move(parts)),
      ops_(ops),
      q_width_(std::int64_t{model.heads} * model.head_dim),
      kv_width_(std::int64_t{model.kv_heads} * model.head_dim),
      qkv_(place, "q, k and v", bytes_of(DType::f32, max_tokens * (q_width_ + 2 * kv_width_))),
      attn_(place, "attention's result", bytes_of(DType::f32, max_tokens * q_width_)) {}

void SoftmaxMixer::plan(const Batch& batch) {
  if (parts_.plans_attention) parts_.attention->plan(batch);
}

void SoftmaxMixer::run(const Tensor& n, const DeviceBatch& batch, const Caches& caches, const Tensor& out) {
  const KvView cache = caches.kv->view(parts_.layer);
  const Tensor qkv(qkv_.data(), DType::f32, n.rows, q_width_ + 2 * kv_width_);
  const Tensor q = qkv.col_slice(0, q_width_);
  const Tensor k = qkv.col_slice(q_width_, kv_width_);
  const Tensor v = qkv.col_slice(q_width_ + kv_width_, kv_width_);
  const Tensor attn(attn_.data(), DType::f32, n.rows, q_width_);

  parts_.qkv->run(n, {}, qkv);            // qkv [tokens, (heads + 2 * kv_heads) * head_dim]
  apply_norm(ops_, parts_.q_norm, q, q);  // q, k, v are column slices of qkv
  apply_norm(ops_, parts_.k_norm, k, k);
  ops_.rope_store(q, k, v, batch.positions, parts_.rope, batch.slots, cache);
  parts_.attention->run(q, cache, attn);  // attn [tokens, heads * head_dim]
  parts_.attn_out->apply(attn, out);      // out [tokens, dim]
}

}  // namespace rung
