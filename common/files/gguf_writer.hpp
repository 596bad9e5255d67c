#pragma once
// Writes a GGUF v3 file piece by piece: the metadata, the list of tensors, and then their bytes.
//
// The file appears under its name only when it is complete (core/output_file.hpp).
//
//   GgufWriter writer(path);
//   writer.add_string("general.architecture", "llama");
//   writer.declare_tensor("token_embd.weight", {2048, 32000}, DType::q8_0);
//   writer.append(bytes);  // of the declared tensors, in order, in pieces of any size
//   writer.finish();

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"
#include "core/output_file.hpp"
#include "files/gguf.hpp"

namespace rung {

/// A callback that is called repeatedly during long writes, with the bytes of tensor data that are written
/// and their total. It can throw to stop the work, and the target then stays as it was.
using WriteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class GgufWriter {
 public:
  /// Throws Error if `path` cannot be written.
  explicit GgufWriter(const std::string& path) : file_(path) {}

  // Metadata. REQUIRES: all keys are different, and all calls come before the first append().
  void add_u32(std::string_view key, std::uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_string(std::string_view key, std::string_view value);
  void add_string_array(std::string_view key, std::span<const std::string> values);
  void add_f32_array(std::string_view key, std::span<const float> values);
  void add_i32_array(std::string_view key, std::span<const std::int32_t> values);
  /// Copies an entry of another file unchanged.
  void add_entry(const GgufEntry& entry);

  /// `dims` are in GGUF's order, with the fastest-changing dimension first. REQUIRES: the call comes before
  /// the first append().
  void declare_tensor(std::string_view name, std::span<const std::int64_t> dims, DType type);
  /// Returns the number of bytes of all declared tensors, without padding.
  std::uint64_t tensor_bytes() const { return tensor_bytes_; }

  /// Appends the next bytes of the tensors. Throws Error if they cannot be written, for example because the
  /// disk is full.
  void append(std::span<const std::byte> bytes);
  /// Completes the file, renames it to its final name, and returns its size. Before that, `check` is called
  /// with the path of the complete file, and can throw to stop the renaming. REQUIRES: every tensor is
  /// complete.
  std::uint64_t finish(const std::function<void(const std::string& path)>& check = {});

 private:
  template <class T>
  void put(const T& value);
  void put_string(std::string_view text);
  void put_key(std::string_view key, GgufType type);
  void put_array(std::string_view key, GgufType element, std::size_t count);
  void write(const void* bytes, std::size_t count);
  void write_padding();
  void write_header();

  OutputFile file_;
  std::uint64_t alignment_ = 32;
  std::vector<std::byte> metadata_;
  std::uint64_t entry_count_ = 0;
  std::vector<std::byte> tensor_list_;
  std::vector<std::uint64_t> tensor_sizes_;  // bytes of each declared tensor
  std::uint64_t tensor_bytes_ = 0;
  std::uint64_t next_offset_ = 0;  // offset of the next declared tensor
  bool header_written_ = false;
  std::size_t current_ = 0;         // index of the tensor to which bytes are appended
  std::uint64_t current_done_ = 0;  // number of its bytes that are written
};

}  // namespace rung
