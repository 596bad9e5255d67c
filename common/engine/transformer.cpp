// The forward pass of every model: prefill, prompt chunk, decode, several sequences, any device.
//
// Read forward() top to bottom: it is the mathematics of a Llama-style transformer in order, one line
// per operation, with the shape of what it produces in the right margin. Everything it calls is behind
// a seam: which attention, which product, which device is decided in the constructor. It allocates
// nothing and never looks inside a tensor. What it is given is described in seams/batch.hpp.

#include "engine/transformer.hpp"

#include <cassert>

#include "engine/cpu_ops.hpp"
#include "engine/resolve.hpp"
#include "engine/stacked_linear.hpp"

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
  const Tensor gate_up = work_.gate_up.row_slice(0, n_tokens);
  const Tensor hidden = work_.hidden.row_slice(0, n_tokens);

  attention_->plan(batch);
  ops_.embed(embedding_, tokens, x);  // x [tokens, dim], the residual stream
  show("embedding", -1, x);

  for (const Layer& layer : layers_) {
    const KvView cache = kv.view(layer.index);
    ops_.rmsnorm(x, layer.attn_norm, model_.norm_eps, norm);  // norm [tokens, dim]
    layer.qkv->apply(norm, qkv);     // qkv [tokens, (heads + 2 * kv_heads) * head_dim]
    ops_.rope(q, positions, rope_);  // q, k, v are column slices of qkv
    ops_.rope(k, positions, rope_);
    ops_.store_kv(k, v, slots, cache);
    attention_->run(q, cache, attn);   // attn [tokens, heads * head_dim]
    layer.attn_out->apply(attn, out);  // out [tokens, dim]
    ops_.add(out, x);
    show("attention", layer.index, x);

    ops_.rmsnorm(x, layer.ffn_norm, model_.norm_eps, norm);
    layer.gate_up->apply(norm, gate_up);  // gate_up [tokens, 2 * ffn_dim]
    ops_.silu_mul(gate_up, hidden);       // hidden [tokens, ffn_dim]
    layer.down->apply(hidden, out);
    ops_.add(out, x);
    show("layer", layer.index, x);
  }

  const Tensor last = work_.last.row_slice(0, n_outputs);  // only the rows somebody asked for:
  const Tensor last_norm = work_.last_norm.row_slice(0, n_outputs);
  const Tensor logits = work_.logits.row_slice(0, n_outputs);  // the output matrix is the largest of all
  ops_.gather(x, output_rows, last);
  ops_.rmsnorm(last, output_norm_, model_.norm_eps, last_norm);
  output_->apply(last_norm, logits);  // logits [outputs, vocab]
  show("logits", -1, logits);
  return logits;
}

Transformer::Transformer(const Model& model, const Registry& registry, const EngineConfig& config,
                         Device& device)
    : registry_(registry),
      config_(config),
      model_(model.config),
      device_(device),
      ops_(resolve_ops(device, config.threads)),
      work_(device, model.config, config.max_step_tokens, config.max_step_outputs, config.context) {
  rope_ = {model_.head_dim, model_.rotary_dim, model_.rope_pairs, work_.rope_cos, work_.rope_sin};
  std::vector<float> cos(static_cast<std::size_t>(rope_.cos.size())), sin(cos.size());
  rope_angles(model_.rope_theta, model_.rotary_dim, {cos.data(), DType::f32, rope_.cos.rows, rope_.cos.cols},
              {sin.data(), DType::f32, rope_.sin.rows, rope_.sin.cols});
  device_.to_device(rope_.cos.data, cos.data(), cos.size() * sizeof(float));
  device_.to_device(rope_.sin.data, sin.data(), sin.size() * sizeof(float));

  embedding_ = on_device(model.weights.token_embedding);
  for (const LayerWeights& w : model.weights.layers) {
    Layer layer;
    layer.index = static_cast<int>(layers_.size());
    layer.attn_norm = on_device(w.attn_norm);
    layer.qkv = linear({w.q, w.k, w.v});
    layer.attn_out = linear({w.attn_out});
    layer.ffn_norm = on_device(w.ffn_norm);
    layer.gate_up = linear({w.gate, w.up});
    layer.down = linear({w.down});
    layers_.push_back(std::move(layer));
  }
  output_norm_ = on_device(model.weights.output_norm);
  output_ = linear({model.weights.output});

  attention_ = registry.ladder<Attention>().make(config.rung("attention"), attention_config(config, model_));
}

Tensor Transformer::on_device(const Tensor& host) {
  if (device_.shares_host_memory()) return host;
  DeviceBuffer buffer = device_.allocate(host.bytes());
  device_.to_device(buffer.data(), host.data, host.bytes());
  const Tensor copy = buffer.tensor(host.dtype, host.rows, host.cols);
  device_weights_bytes_ += buffer.bytes();
  device_weights_.push_back(std::move(buffer));
  return copy;
}

std::unique_ptr<Linear> Transformer::linear(std::initializer_list<Tensor> stacked) {
  const auto& ladder = registry_.ladder<Linear>();
  std::vector<StackedLinear::Part> parts;
  for (const Tensor& weight : stacked) {
    const Tensor w = on_device(weight);
    parts.push_back(
        {ladder.make(config_.rung("linear"), {w, config_.threads, config_.max_step_tokens}), w.rows});
  }
  if (parts.size() == 1) return std::move(parts.front().linear);
  return std::make_unique<StackedLinear>(std::move(parts));
}

}  // namespace rung
