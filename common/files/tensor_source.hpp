#pragma once
// What a weight loader needs of a file format: tensors by name.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"

namespace rung {

struct SourceTensor {
  std::string shape;       // as people read it, slowest dimension first: "[32000, 2048]"
  std::string dtype_name;  // as the file calls it: "f32", "I64"
  Tensor view;             // [product of all but the last, last]; empty when the format is not supported
};

/// Writes the elements of a view that may lie at any address to `to` [rows * cols].
inline void unaligned_to_f32(const Tensor& view, float* to) {
  std::vector<std::uint64_t> aligned((view.bytes() + 7) / 8);
  std::memcpy(aligned.data(), view.data, view.bytes());
  traits(view.dtype).to_float(aligned.data(), to, view.size());
}

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const std::string& path() const = 0;
  /// False when there is no such tensor; else `found` describes it.
  virtual bool find(std::string_view name, SourceTensor& found) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

}  // namespace rung
