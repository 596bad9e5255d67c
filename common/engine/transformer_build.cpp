// How a forward pass is built: every weight on its device and behind its rung.

#include <algorithm>

#include "engine/biased_linear.hpp"
#include "engine/resolve.hpp"
#include "engine/transformer.hpp"
#include "ops/cpu_ops.hpp"

namespace rung {

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
    wanted.place.device = &device_;
    attention = registry_.ladder<Attention>().make(config_.rung("attention"), wanted);
    attention_bytes_ += attention->scratch_bytes();
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
