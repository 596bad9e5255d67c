#pragma once
// Writes a safetensors file piece by piece: the list of tensors, then their bytes.
//
// As with GgufWriter, bytes go to a temporary file that takes the target's name at the very end.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/dtype.hpp"

namespace rung {

class SafeTensorsWriter {
 public:
  /// Opens the temporary file. Throws Error when `path` cannot be written.
  explicit SafeTensorsWriter(const std::string& path);
  /// Removes the temporary file unless finish() was reached.
  ~SafeTensorsWriter();
  SafeTensorsWriter(const SafeTensorsWriter&) = delete;
  SafeTensorsWriter& operator=(const SafeTensorsWriter&) = delete;

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
  void write(const void* bytes, std::size_t count);
  void write_header();

  std::string path_, temporary_path_;
  std::ofstream file_;
  nlohmann::ordered_json header_;
  std::uint64_t next_ = 0;     // offset of the tensor declared next
  std::uint64_t written_ = 0;  // bytes in the file
  bool header_written_ = false;
};

/// As safetensors calls a format ("BF16"); null for one that it does not have.
const char* safetensors_type(DType type);

}  // namespace rung
