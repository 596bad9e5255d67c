// The forward pass of every model: prefill, prompt chunk, decode, several sequences, any device.
//
// Read forward() top to bottom: it is the mathematics of a transformer in order, one line per operation,
// with the shape of what it produces in the right margin. Everything it calls is behind a seam: which
// attention, which product, which device is decided in transformer_build.cpp. Families of models differ in
// data: which norms a layer has, which factors are not 1 (model/families.cpp, model_config.hpp). It allocates
// nothing and never looks inside a tensor. What it is given is described in seams/batch.hpp.

#include "engine/transformer.hpp"

#include <cassert>

#include "ops/apply_norm.hpp"

namespace rung {

Tensor Transformer::forward(const Batch& batch, const KvCache& kv, const Tap& tap) {
  const auto n_tokens = static_cast<std::int64_t>(batch.tokens.size());
  const auto n_outputs = static_cast<std::int64_t>(batch.output_rows.size());
  assert(n_tokens <= work_.x.rows && n_outputs <= work_.logits.rows);
  const auto show = [&](std::string_view name, int layer, const Tensor& t) {
    if (tap) tap(name, layer, t);
  };
  const auto upload = [&](const std::vector<std::int32_t>& from, const Tensor& to) {
    device_.to_device(to.data, from.data(), from.size() * sizeof(std::int32_t));
    return to.col_slice(0, static_cast<std::int64_t>(from.size()));
  };
  const Tensor tokens = upload(batch.tokens, work_.tokens);                 // [1, tokens]
  const Tensor positions = upload(batch.positions, work_.positions);        // [1, tokens]
  const Tensor slots = upload(batch.slots, work_.slots);                    // [1, tokens]
  const Tensor output_rows = upload(batch.output_rows, work_.output_rows);  // [1, outputs]

  const std::int64_t q_width = std::int64_t{model_.heads} * model_.head_dim;
  const std::int64_t kv_width = std::int64_t{model_.kv_heads} * model_.head_dim;
  const Tensor x = work_.x.row_slice(0, n_tokens);
  const Tensor norm = work_.norm.row_slice(0, n_tokens);
  const Tensor qkv = work_.qkv.row_slice(0, n_tokens);
  const Tensor q = qkv.col_slice(0, q_width);
  const Tensor k = qkv.col_slice(q_width, kv_width);
  const Tensor v = qkv.col_slice(q_width + kv_width, kv_width);
  const Tensor attn = work_.attn.row_slice(0, n_tokens);
  const Tensor out = work_.out.row_slice(0, n_tokens);
  const Tensor gate_up = work_.gate_up.empty() ? Tensor() : work_.gate_up.row_slice(0, n_tokens);
  const Tensor hidden = work_.hidden.row_slice(0, n_tokens);

  for (const auto& [window, attention] : attention_) attention->plan(batch);
  ops_.embed(embedding_, tokens, x);  // x [tokens, dim], the residual stream
  if (model_.embedding_scale != 1) ops_.scale(model_.embedding_scale, x);
  if (model_.learned_positions) {
    ops_.embed(position_embedding_, positions, out);
    ops_.add(out, 1, x);
  }
  show("embedding", -1, x);

  Tensor n = apply_norm(ops_, layers_.front().attn_norm, x, norm);  // what the next product reads
  for (const Layer& layer : layers_) {
    const KvView cache = kv.view(layer.index);
    layer.qkv->run(n, {}, qkv);            // qkv [tokens, (heads + 2 * kv_heads) * head_dim]
    apply_norm(ops_, layer.q_norm, q, q);  // q, k, v are column slices of qkv
    apply_norm(ops_, layer.k_norm, k, k);
    ops_.rope_store(q, k, v, positions, layer.rope, slots, cache);
    layer.attention->run(q, cache, attn);  // attn [tokens, heads * head_dim]
    layer.attn_out->apply(attn, out);      // out [tokens, dim]
    n = ops_.add_norm(apply_norm(ops_, layer.attn_post_norm, out, out), model_.residual_scale, x,
                      layer.ffn_norm, norm);
    show("attention", layer.index, x);

    if (layer.moe != nullptr) {
      layer.moe->run(n, *work_.moe, gate_up, hidden, out);  // out [tokens, dim]
      show("router", layer.index, work_.moe->logits.row_slice(0, n_tokens));
    } else {
      layer.gate_up->run(n, gate_up, hidden);  // hidden [tokens, ffn_dim]
      layer.down->apply(hidden, out);          // out [tokens, dim]
    }
    n = ops_.add_norm(apply_norm(ops_, layer.ffn_post_norm, out, out), model_.residual_scale, x,
                      layer.next_norm, norm);
    show("layer", layer.index, x);
  }

  const Tensor last = work_.last.row_slice(0, n_outputs);  // only the rows somebody asked for:
  const Tensor last_norm = work_.last_norm.row_slice(0, n_outputs);
  const Tensor logits = work_.logits.row_slice(0, n_outputs);  // the output matrix is the largest of all
  ops_.gather(x, output_rows, last);
  output_->apply(apply_norm(ops_, output_norm_, last, last_norm), logits);  // logits [outputs, vocab]
  if (model_.logit_scale != 1) ops_.scale(model_.logit_scale, logits);
  if (model_.logit_softcap != 0) ops_.softcap(model_.logit_softcap, logits);
  show("logits", -1, logits);
  return logits;
}

}  // namespace rung
