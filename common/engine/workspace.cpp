// How much memory a step needs: the sum over what forward() writes, for the largest step allowed.

#include <algorithm>

#include "engine/transformer.hpp"

namespace rung {

Workspace::Workspace(Device& device, const ModelConfig& model, int max_tokens, int max_outputs,
                     int max_context) {
  const std::int64_t heads_width = std::int64_t{model.heads} * model.head_dim;
  const std::int64_t kv_width = std::int64_t{model.kv_heads} * model.head_dim;
  x = take(device, DType::f32, max_tokens, model.dim);
  norm = take(device, DType::f32, max_tokens, model.dim);
  qkv = take(device, DType::f32, max_tokens, heads_width + 2 * kv_width);
  attn = take(device, DType::f32, max_tokens, heads_width);
  out = take(device, DType::f32, max_tokens, model.dim);
  hidden = take(device, DType::f32, max_tokens, model.ffn_dim);
  last = take(device, DType::f32, max_outputs, model.dim);
  last_norm = take(device, DType::f32, max_outputs, model.dim);
  logits = take(device, DType::f32, max_outputs, model.vocab_size);
  tokens = take(device, DType::i32, 1, max_tokens);
  positions = take(device, DType::i32, 1, max_tokens);
  slots = take(device, DType::i32, 1, max_tokens);
  output_rows = take(device, DType::i32, 1, max_outputs);
  if (model.experts != 0) moe = std::make_unique<MoeWorkspace>(device, model, max_tokens);
  if (model.rotary_dim == 0) return;
  rope_cos = take(device, DType::f32, max_context, model.rotary_dim / 2);
  rope_sin = take(device, DType::f32, max_context, model.rotary_dim / 2);
  const bool local = std::any_of(model.layer_attention.begin(), model.layer_attention.end(),
                                 [](auto& layer) { return layer.rope == LayerAttention::Rope::local; });
  if (!local) return;
  local_cos = take(device, DType::f32, max_context, model.rotary_dim / 2);
  local_sin = take(device, DType::f32, max_context, model.rotary_dim / 2);
}

void Workspace::take_gate_up(Device& device, const ModelConfig& model) {
  gate_up = take(device, DType::f32, x.rows, (model.gated_ffn ? 2 : 1) * std::int64_t{model.ffn_dim});
}

Tensor Workspace::take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols) {
  buffers_.push_back(device.allocate(bytes_of(dtype, rows * cols)));
  return buffers_.back().tensor(dtype, rows, cols);
}

std::size_t Workspace::bytes() const {
  std::size_t total = moe != nullptr ? moe->bytes() : 0;
  for (const DeviceBuffer& buffer : buffers_) total += buffer.bytes();
  return total;
}

}  // namespace rung
