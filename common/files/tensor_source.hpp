#pragma once
// The interface of a file format for a weight loader: tensors by name.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"

namespace rung {

struct SourceTensor {
  std::string shape;       // readable, with the slowest-changing dimension first: "[32000, 2048]"
  std::string dtype_name;  // the file's name of the format: "f32", "I64"
  Tensor view;             // [product of all but the last, last]; empty if the format is not supported
};

/// Converts the elements of a view to float32 and writes them to `to` [rows * cols]. The view can be
/// unaligned.
inline void unaligned_to_f32(const Tensor& view, float* to) {
  std::vector<std::uint64_t> aligned((view.bytes() + 7) / 8);
  std::memcpy(aligned.data(), view.data, view.bytes());
  traits(view.dtype).to_float(aligned.data(), to, view.size());
}

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const std::string& path() const = 0;
  /// Returns false if the tensor does not exist. Otherwise sets `found` to its description.
  virtual bool find(std::string_view name, SourceTensor& found) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

}  // namespace rung
