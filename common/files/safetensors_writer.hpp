#pragma once
// Writes a safetensors file piece by piece: the list of tensors, then their bytes.
//
// The file is there as a whole or not at all (core/output_file.hpp).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/dtype.hpp"
#include "core/output_file.hpp"

namespace rung {

class SafeTensorsWriter {
 public:
  /// Throws Error when `path` cannot be written.
  explicit SafeTensorsWriter(const std::string& path);

  /// shape: slowest dimension first. Throws Error for a format that safetensors does not have.
  /// REQUIRES: before the first append().
  void declare_tensor(const std::string& name, std::span<const std::int64_t> shape, DType type);
  /// Bytes of all declared tensors.
  std::uint64_t tensor_bytes() const { return next_; }
  /// The next bytes of the tensors, in order, in pieces of any size.
  void append(std::span<const std::byte> bytes);
  /// Completes the file and gives it its name; returns its size. REQUIRES: every tensor is complete.
  std::uint64_t finish();

 private:
  void write_header();

  OutputFile file_;
  nlohmann::ordered_json header_;
  std::uint64_t next_ = 0;  // offset of the tensor declared next
  bool header_written_ = false;
};

/// As safetensors calls a format ("BF16"); null for one that it does not have.
const char* safetensors_type(DType type);

}  // namespace rung
