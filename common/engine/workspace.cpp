// Computes how much memory a step needs: the sum of all results that forward() writes itself, for the largest
// allowed step.

#include <algorithm>
#include <cassert>

#include "engine/transformer.hpp"

namespace rung {

Workspace::Workspace(Device& device, const ModelConfig& model, int max_tokens, int max_outputs,
                     int max_context, bool ends) {
  x = take(device, DType::f32, max_tokens, model.dim);
  norm = take(device, DType::f32, max_tokens, model.dim);
  out = take(device, DType::f32, max_tokens, model.dim);
  if (ends) {
    last = take(device, DType::f32, max_outputs, model.dim);
    last_norm = take(device, DType::f32, max_outputs, model.dim);
    logits = take(device, DType::f32, max_outputs, model.vocab_size);
  }
  numbers_ = take(device, DType::i32, 1, std::int64_t{3} * max_tokens + max_outputs);
  host_numbers_.resize(static_cast<std::size_t>(numbers_.cols));
  if (model.rotary_dim == 0) return;
  rope_cos = take(device, DType::f32, max_context, model.rotary_dim / 2);
  rope_sin = take(device, DType::f32, max_context, model.rotary_dim / 2);
  const bool local = std::any_of(model.layer_attention.begin(), model.layer_attention.end(),
                                 [](auto& layer) { return layer.rope == LayerAttention::Rope::local; });
  if (!local) return;
  local_cos = take(device, DType::f32, max_context, model.rotary_dim / 2);
  local_sin = take(device, DType::f32, max_context, model.rotary_dim / 2);
}

DeviceBatch Workspace::upload(Device& device, const Batch& batch) {
  std::int64_t used = 0;
  const auto pack = [&](const std::vector<std::int32_t>& from) {
    const auto count = static_cast<std::int64_t>(from.size());
    assert(used + count <= numbers_.cols);
    std::copy(from.begin(), from.end(), host_numbers_.begin() + used);
    used += count;
    return numbers_.col_slice(used - count, count);
  };
  const DeviceBatch packed{pack(batch.tokens), pack(batch.positions), pack(batch.slots),
                           pack(batch.output_rows)};
  device.to_device(numbers_.data, host_numbers_.data(),
                   static_cast<std::size_t>(used) * sizeof(std::int32_t));
  return packed;
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
