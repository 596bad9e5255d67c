#pragma once
// The tensors of a loaded model in the form of the other kind of file.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/weights_loader.hpp"

namespace rung {

/// One tensor to write. It consists of parts of the model, one above the other, whose rows can be reordered.
struct OutTensor {
  enum class Rows : std::uint8_t { as_they_are, pairs_to_halves, halves_to_pairs };

  std::string name;
  std::vector<std::int64_t> shape;  // as written, with the slowest-changing dimension first
  DType type = DType::f32;
  std::vector<Tensor> parts;  // [rows, cols] each
  std::vector<Rows> rows;     // the order of the rows of each part
  int head_dim = 0;           // head_dim of the parts that are reordered
  float offset = 0;           // added to every number
  bool transposed = false;    // written as [cols, rows]
};

/// Returns all tensors of `model` with the names of `to`. `type` is the format of the matrices. If it is
/// empty, they keep their format if the target has it, and otherwise become f32.
std::vector<OutTensor> tensors_for(const Model& model, Naming to, std::optional<DType> type);

/// Calls `sink` with the bytes of the tensor, in order, in pieces of a few megabytes. Throws Error, which
/// names the tensor, for numbers that its format cannot represent.
void write_tensor(const OutTensor& tensor, const std::function<void(std::span<const std::byte>)>& sink);

}  // namespace rung
