#pragma once
// Writes a safetensors file piece by piece: the list of tensors, and then their bytes.
//
// The file appears under its name only when it is complete (core/output_file.hpp).

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
  /// Throws Error if `path` cannot be written.
  explicit SafeTensorsWriter(const std::string& path);

  /// `shape` has the slowest-changing dimension first. Throws Error for a format that safetensors does not
  /// have. REQUIRES: the call comes before the first append().
  void declare_tensor(const std::string& name, std::span<const std::int64_t> shape, DType type);
  /// Returns the number of bytes of all declared tensors.
  std::uint64_t tensor_bytes() const { return next_; }
  /// Appends the next bytes of the tensors, in order, in pieces of any size.
  void append(std::span<const std::byte> bytes);
  /// Completes the file, renames it to its final name, and returns its size. REQUIRES: every tensor is
  /// complete.
  std::uint64_t finish();

 private:
  void write_header();

  OutputFile file_;
  nlohmann::ordered_json header_;
  std::uint64_t next_ = 0;  // offset of the next declared tensor
  bool header_written_ = false;
};

/// Returns safetensors' name of a format ("BF16"), or null for a format that safetensors does not have.
const char* safetensors_type(DType type);

}  // namespace rung
