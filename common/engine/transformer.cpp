// The forward pass of every model: prefill, prompt chunk, decode, several sequences, any device.
//
// Read forward() top to bottom: it is the mathematics of a transformer in order, one line per operation,
// with the shape of what it produces in the right margin. Everything it calls is behind a seam: which
// attention, which product, which device is decided in the constructor. Families of models differ in data:
// which norms a layer has, which factors are not 1 (model/families.cpp, model_config.hpp). It allocates
// nothing and never looks inside a tensor. What it is given is described in seams/batch.hpp.

#include "engine/transformer.hpp"

#include <algorithm>
#include <cassert>

#include "engine/biased_linear.hpp"
#include "engine/resolve.hpp"
#include "ops/apply_norm.hpp"
#include "ops/cpu_ops.hpp"

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

  Tensor n = normed(layers_.front().attn_norm, x, norm);  // what the next product reads
  for (const Layer& layer : layers_) {
    const KvView cache = kv.view(layer.index);
    layer.qkv->run(n, {}, qkv);  // qkv [tokens, (heads + 2 * kv_heads) * head_dim]
    normed(layer.q_norm, q, q);  // q, k, v are column slices of qkv
    normed(layer.k_norm, k, k);
    fusion_->rope_store(q, k, v, positions, layer.rope, slots, cache);
    layer.attention->run(q, cache, attn);  // attn [tokens, heads * head_dim]
    layer.attn_out->apply(attn, out);      // out [tokens, dim]
    n = fusion_->add_norm(normed(layer.attn_post_norm, out, out), x, layer.ffn_norm, norm);
    show("attention", layer.index, x);

    if (layer.moe != nullptr) {
      layer.moe->run(n, *work_.moe, gate_up, hidden, out);  // out [tokens, dim]
      show("router", layer.index, work_.moe->logits.row_slice(0, n_tokens));
    } else {
      layer.gate_up->run(n, gate_up, hidden);  // hidden [tokens, ffn_dim]
      layer.down->apply(hidden, out);          // out [tokens, dim]
    }
    n = fusion_->add_norm(normed(layer.ffn_post_norm, out, out), x, layer.next_norm, norm);
    show("layer", layer.index, x);
  }

  const Tensor last = work_.last.row_slice(0, n_outputs);  // only the rows somebody asked for:
  const Tensor last_norm = work_.last_norm.row_slice(0, n_outputs);
  const Tensor logits = work_.logits.row_slice(0, n_outputs);  // the output matrix is the largest of all
  ops_.gather(x, output_rows, last);
  output_->apply(normed(output_norm_, last, last_norm), logits);  // logits [outputs, vocab]
  if (model_.logit_scale != 1) ops_.scale(model_.logit_scale, logits);
  if (model_.logit_softcap != 0) ops_.softcap(model_.logit_softcap, logits);
  show("logits", -1, logits);
  return logits;
}

Tensor Transformer::normed(const Weight& norm, const Tensor& from, const Tensor& to) const {
  return apply_norm(ops_, model_.norm, model_.norm_eps, norm, from, to);
}

Transformer::Transformer(const Model& model, const Registry& registry, const EngineConfig& config,
                         Device& device, PackedStore* packed)
    : source_(model),
      registry_(registry),
      config_(config),
      model_(model.config),
      device_(device),
      packed_(packed),
      ops_(resolve_ops(device, config.threads)),
      tile_ops_(device.shares_host_memory() ? resolve_ops(device, 1) : Ops()),
      fusion_(registry.ladder<Fusion>().make(
          config.rung("fusion"),
          fusion_config(config_, model_, ops_, device.shares_host_memory() ? &tile_ops_ : nullptr))),
      work_(device, model.config, config.max_step_tokens, config.max_step_outputs, config.context) {
  if (model_.rotary_dim != 0)
    rope_ = rope_tables(resolve_rope(registry, config, model_), work_.rope_cos, work_.rope_sin);
  // Local layers see no further than their window, however long the text is.
  local_rope_ = rope_tables(rope_frequencies(model_.rope_local, model_.rotary_dim, config.context),
                            work_.local_cos, work_.local_sin);

  embedding_ = on_device(model.weights.token_embedding);
  position_embedding_ = on_device(model.weights.position_embedding);
  for (const LayerWeights& w : model.weights.layers) {
    const LayerAttention& kind = model_.layer_attention[layers_.size()];
    Layer layer;
    layer.index = static_cast<int>(layers_.size());
    layer.attn_norm = on_device(w.attn_norm);
    layer.qkv = fusion_->side_by_side(parts({w.q, w.k, w.v}));
    layer.q_norm = on_device(w.q_norm);
    layer.k_norm = on_device(w.k_norm);
    if (model_.rotary_dim != 0 && kind.rope != LayerAttention::Rope::none) {
      layer.rope = kind.rope == LayerAttention::Rope::local ? &local_rope_ : &rope_;
    }
    layer.attention = attention_for(kind.window);
    layer.attn_out = linear(w.attn_out);
    layer.attn_post_norm = on_device(w.attn_post_norm);
    layer.ffn_norm = on_device(w.ffn_norm);
    if (model_.experts != 0) {
      layer.moe = mixture(w);
    } else {
      layer.gate_up = fusion_->activated(model_.gated_ffn ? parts({w.gate, w.up}) : parts({w.up}));
      layer.down = linear(w.down);
    }
    layer.ffn_post_norm = on_device(w.ffn_post_norm);
    layers_.push_back(std::move(layer));
  }
  // The last layer's sum is normed where logits are wanted.
  for (std::size_t i = 1; i < layers_.size(); ++i) layers_[i - 1].next_norm = layers_[i].attn_norm;
  const bool wide = std::any_of(layers_.begin(), layers_.end(), [](const Layer& layer) {
    return layer.moe != nullptr ? layer.moe->needs_wide() : layer.gate_up->needs_wide();
  });
  if (wide) work_.take_gate_up(device, model_);
  output_norm_ = on_device(model.weights.output_norm);
  output_ = linear({model.weights.output, {}});
}

std::unique_ptr<MoeFfn> Transformer::mixture(const LayerWeights& w) {
  std::vector<MoeFfn::Expert> experts;
  for (const ExpertWeights& e : w.experts) {
    experts.push_back({fusion_->activated(parts({{e.gate, {}}, {e.up, {}}})), linear({e.down, {}})});
  }
  return std::make_unique<MoeFfn>(linear(w.router), std::move(experts), ops_, device_);
}

RopeTables Transformer::rope_tables(const RopeFrequencies& frequencies, const Tensor& cos,
                                    const Tensor& sin) {
  RopeTables tables{model_.head_dim, model_.rotary_dim, model_.rope_pairs, cos, sin};
  if (cos.empty()) return tables;
  std::vector<float> cos_values(static_cast<std::size_t>(cos.size())), sin_values(cos_values.size());
  rope_angles(frequencies, {cos_values.data(), DType::f32, cos.rows, cos.cols},
              {sin_values.data(), DType::f32, sin.rows, sin.cols});
  device_.to_device(cos.data, cos_values.data(), cos.bytes());
  device_.to_device(sin.data, sin_values.data(), sin.bytes());
  return tables;
}

Attention* Transformer::attention_for(int window) {
  if (window >= config_.context) window = 0;  // it holds everything that there will be
  std::unique_ptr<Attention>& attention = attention_[window];
  if (!attention) {
    AttentionConfig wanted = attention_config(config_, model_);
    wanted.window = window;
    attention = registry_.ladder<Attention>().make(config_.rung("attention"), wanted);
  }
  return attention.get();
}

Tensor Transformer::on_device(const Tensor& host) {
  if (host.empty() || device_.shares_host_memory()) return host;
  DeviceBuffer buffer = device_.allocate(host.bytes());
  device_.to_device(buffer.data(), host.data, host.bytes());
  const Tensor copy = buffer.tensor(host.dtype, host.rows, host.cols);
  device_weights_bytes_ += buffer.bytes();
  device_weights_.push_back(std::move(buffer));
  return copy;
}

Weight Transformer::on_device(const Weight& host) { return {on_device(host.weight), on_device(host.bias)}; }

ProductPart Transformer::part(const Weight& weight) {
  const Weight w = on_device(weight);
  ProductPart part{registry_.ladder<Linear>().make(
                       config_.rung("linear"), {w.weight, config_.threads, config_.max_step_tokens, packed_}),
                   w.weight.rows, w.bias};
  if (const std::size_t bytes = part.linear->packed_bytes(); bytes > 0) {
    packed_bytes_ += bytes;
    source_.release(weight.weight);  // the copy is read from now on
  }
  return part;
}

std::vector<ProductPart> Transformer::parts(std::initializer_list<Weight> weights) {
  std::vector<ProductPart> result;
  for (const Weight& weight : weights) result.push_back(part(weight));
  return result;
}

std::unique_ptr<Linear> Transformer::linear(const Weight& weight) {
  ProductPart only = part(weight);
  if (only.bias.empty()) return std::move(only.linear);
  return std::make_unique<BiasedLinear>(std::move(only.linear), only.bias, ops_);
}

FusedSteps Transformer::fused() const {
  FusedSteps steps;
  for (const Layer& layer : layers_) {
    steps.layers += 1;
    steps.qkv += layer.qkv->fused();
    steps.gate_up += layer.moe != nullptr ? layer.moe->fused() : layer.gate_up->fused();
    steps.add_norm += fusion_->fuses_add(layer.ffn_norm) + fusion_->fuses_add(layer.next_norm);
    steps.rope_store += fusion_->fuses_rope(layer.rope);
  }
  return steps;
}

}  // namespace rung
