#pragma once
// The tensors of a loaded model as the other kind of file wants them.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/weights_loader.hpp"

namespace rung {

/// One tensor to be written: parts of the model one above the other, with their rows put in order.
struct OutTensor {
  enum class Rows : std::uint8_t { as_they_are, pairs_to_halves, halves_to_pairs };

  std::string name;
  std::vector<std::int64_t> shape;  // slowest dimension first, as written
  DType type = DType::f32;
  std::vector<Tensor> parts;  // [rows, cols] each
  std::vector<Rows> rows;     // of each part
  int head_dim = 0;           // of the parts that are reordered
  float offset = 0;           // added to every number
  bool transposed = false;    // written as [cols, rows]
};

/// All tensors of `model` under the names of `to`. `type`: of the matrices; empty: as they are, where the
/// target has their format (else f32).
std::vector<OutTensor> tensors_for(const Model& model, Naming to, std::optional<DType> type);

/// Calls `sink` with the bytes of the tensor, in order, in pieces of a few megabytes.
/// Throws Error naming the tensor for numbers that its format cannot hold.
void write_tensor(const OutTensor& tensor, const std::function<void(std::span<const std::byte>)>& sink);

}  // namespace rung
