// Builds a forward pass: copies each weight to its device and gives it to its rung.

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "devices/device_list.hpp"
#include "engine/biased_linear.hpp"
#include "engine/dense_ffn.hpp"
#include "engine/resolve.hpp"
#include "engine/softmax_mixer.hpp"
#include "engine/transformer.hpp"
#include "ops/cpu_ops.hpp"

namespace rung {
namespace {

LayerRange checked_range(LayerRange range, int layers) {
  if (range.end == -1) range.end = layers;
  if (range.begin < 0 || range.begin >= range.end || range.end > layers) {
    fail("layers {} to {} were asked for, but the model has layers 0 to {}; choose at least one of them",
         range.begin, range.end - 1, layers - 1);
  }
  return range;
}

}  // namespace

Transformer::Transformer(const Model& model, const Registry& registry, const EngineConfig& config,
                         Device& device, PackedStore* packed, LayerRange range)
    : source_(model),
      registry_(registry),
      config_(config),
      model_(model.config),
      range_(checked_range(range, model_.layers)),
      device_(device),
      packed_(packed),
      place_{&device, 0, &scratch_},
      ops_(find_device(config.device).ops(device, config.threads)),
      tile_ops_(device.shares_host_memory() ? find_device(config.device).ops(device, 1) : Ops()),
      fusion_(registry.ladder<Fusion>().make(
          config.rung("fusion"),
          fusion_config(config_, model_, ops_, device.shares_host_memory() ? &tile_ops_ : nullptr, place_))),
      work_(device, model.config, config.max_step_tokens, config.max_step_outputs, config.context, ends()) {
  fusion_->replace(ops_);
  if (model_.rotary_dim != 0)
    rope_ = rope_tables(resolve_rope(registry, config, model_), work_.rope_cos, work_.rope_sin);
  // Local layers see no further than their window, however long the text is.
  local_rope_ = rope_tables(rope_frequencies(model_.rope_local, model_.rotary_dim, config.context),
                            work_.local_cos, work_.local_sin);

  const ModelWeights& weights = model.weights;
  if (begins()) {
    embedding_ = on_device(weights.token_embedding);
    position_embedding_ = on_device(weights.position_embedding);
  }
  for (int i = range_.begin; i < range_.end; ++i)
    layers_.push_back(layer(weights.layers[static_cast<std::size_t>(i)], i));
  // The last layer's sum is normed where logits are computed, or in the stage that follows.
  for (std::size_t i = 1; i < layers_.size(); ++i) layers_[i - 1].next_norm = layers_[i].attn_norm;
  for (const Layer& layer : layers_)
    fused_.add_norm += ops_.fuses_add_norm(layer.ffn_norm) + ops_.fuses_add_norm(layer.next_norm);
  if (ends()) {
    output_norm_ = norm(weights.output_norm);
    output_ = linear({weights.output, {}});
  }
  scratch_.allocate(device);
}

Layer Transformer::layer(const LayerWeights& w, int index) {
  const LayerAttention& kind = model_.layer_attention[static_cast<std::size_t>(index)];
  Layer layer;
  layer.index = index;
  if (model_.rotary_dim != 0 && kind.rope != LayerAttention::Rope::none) {
    layer.rope = kind.rope == LayerAttention::Rope::local ? &local_rope_ : &rope_;
  }
  layer.attn_norm = norm(w.attn_norm);
  layer.mixer = mixer(w, index, layer.rope);
  layer.attn_post_norm = norm(w.attn_post_norm);
  layer.ffn_norm = norm(w.ffn_norm);
  layer.ffn = model_.experts != 0 ? mixture(w) : dense(w);
  layer.ffn_post_norm = norm(w.ffn_post_norm);
  ++fused_.layers;
  return layer;
}

std::unique_ptr<Mixer> Transformer::mixer(const LayerWeights& w, int index, const RopeTables* rope) {
  const std::size_t planned = attention_.size();
  SoftmaxMixer::Parts made;
  made.layer = index - range_.begin;
  made.qkv = fusion_->side_by_side(parts({w.q, w.k, w.v}));
  made.q_norm = norm(w.q_norm);
  made.k_norm = norm(w.k_norm);
  made.rope = rope;
  made.attention = attention_for(model_.layer_attention[static_cast<std::size_t>(index)].window);
  made.plans_attention = attention_.size() > planned;  // the first layer that uses it
  made.attn_out = linear(w.attn_out);
  fused_.qkv += made.qkv->fused();
  fused_.rope_store += ops_.fuses_rope_store(rope);
  return std::make_unique<SoftmaxMixer>(std::move(made), model_, ops_, place_, config_.max_step_tokens);
}

std::unique_ptr<Ffn> Transformer::dense(const LayerWeights& w) {
  auto gate_up = fusion_->activated(model_.gated_ffn ? parts({w.gate, w.up}) : parts({w.up}));
  fused_.gate_up += gate_up->fused();
  return std::make_unique<DenseFfn>(std::move(gate_up), linear(w.down), model_, place_,
                                    config_.max_step_tokens);
}

std::unique_ptr<Ffn> Transformer::mixture(const LayerWeights& w) {
  if (!moe_work_) moe_work_ = std::make_unique<MoeWorkspace>(device_, model_, config_.max_step_tokens);
  std::vector<MoeFfn::Expert> experts;
  for (const ExpertWeights& e : w.experts) {
    experts.push_back({fusion_->activated(parts({{e.gate, {}}, {e.up, {}}})), linear({e.down, {}})});
  }
  auto moe = std::make_unique<MoeFfn>(linear(w.router), std::move(experts), model_, ops_, place_, *moe_work_,
                                      config_.max_step_tokens);
  fused_.gate_up += moe->fused();
  return moe;
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
    wanted.place = place_;
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

Norm Transformer::norm(const Weight& weight) {
  return {on_device(weight.weight), on_device(weight.bias), model_.norm, model_.norm_eps};
}

ProductPart Transformer::part(const Weight& weight) {
  const Weight w = on_device(weight);
  const LinearRole role = LinearRole::whole;
  const int rows = std::max(config_.max_step_tokens, config_.max_step_outputs);
  ProductPart part{registry_.ladder<Linear>().make(config_.rung("linear"),
                                                   {w.weight, config_.threads, rows, packed_, role, place_}),
                   w.weight.rows, w.bias};
  if (const std::size_t bytes = part.linear->packed_bytes(); bytes > 0) {
    packed_bytes_ += bytes;
    source_.release(weight.weight);  // the copy is read from now on
  }
  if (config_.decorate) {
    if (!part.bias.empty()) {
      part.linear =
          std::make_unique<BiasedLinear>(std::move(part.linear), std::exchange(part.bias, {}), ops_);
    }
    part.linear = config_.decorate(std::move(part.linear), {weight.weight, role, place_});
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

std::size_t Transformer::workspace_bytes() const {
  return work_.bytes() + scratch_.bytes() + (moe_work_ ? moe_work_->bytes() : 0) + attention_bytes_ +
         device_weights_bytes_;
}

}  // namespace rung
