// How much memory a step needs: the sum over what forward() writes, for the largest step allowed.

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
  gate_up = take(device, DType::f32, max_tokens, 2 * std::int64_t{model.ffn_dim});
  hidden = take(device, DType::f32, max_tokens, model.ffn_dim);
  last = take(device, DType::f32, max_outputs, model.dim);
  last_norm = take(device, DType::f32, max_outputs, model.dim);
  logits = take(device, DType::f32, max_outputs, model.vocab_size);
  tokens = take(device, DType::i32, 1, max_tokens);
  positions = take(device, DType::i32, 1, max_tokens);
  slots = take(device, DType::i32, 1, max_tokens);
  output_rows = take(device, DType::i32, 1, max_outputs);
  rope_cos = take(device, DType::f32, max_context, model.rotary_dim / 2);
  rope_sin = take(device, DType::f32, max_context, model.rotary_dim / 2);
}

Tensor Workspace::take(Device& device, DType dtype, std::int64_t rows, std::int64_t cols) {
  buffers_.push_back(device.allocate(bytes_of(dtype, rows * cols)));
  return buffers_.back().tensor(dtype, rows, cols);
}

std::size_t Workspace::bytes() const {
  std::size_t total = 0;
  for (const DeviceBuffer& buffer : buffers_) total += buffer.bytes();
  return total;
}

}  // namespace rung
