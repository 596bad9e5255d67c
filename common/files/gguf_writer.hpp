#pragma once
// Writes a GGUF v3 file piece by piece: metadata, then the list of tensors, then their bytes.
//
// The file is there as a whole or not at all (core/output_file.hpp).
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

/// Called now and then during long writes with the bytes of tensor data done and in all. It may throw to stop
/// the work; the target is then left alone.
using WriteProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class GgufWriter {
 public:
  /// Throws Error when `path` cannot be written.
  explicit GgufWriter(const std::string& path) : file_(path) {}

  // Metadata. REQUIRES: keys differ; all before the first append().
  void add_u32(std::string_view key, std::uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_string(std::string_view key, std::string_view value);
  void add_string_array(std::string_view key, std::span<const std::string> values);
  void add_f32_array(std::string_view key, std::span<const float> values);
  void add_i32_array(std::string_view key, std::span<const std::int32_t> values);
  /// Copies an entry of another file as it is.
  void add_entry(const GgufEntry& entry);

  /// dims as GGUF writes them: the fastest-running one first. REQUIRES: before the first append().
  void declare_tensor(std::string_view name, std::span<const std::int64_t> dims, DType type);
  /// Bytes of all declared tensors, without padding.
  std::uint64_t tensor_bytes() const { return tensor_bytes_; }

  /// The next bytes of the tensors. Throws Error when they cannot be written (no space left).
  void append(std::span<const std::byte> bytes);
  /// Completes the file and gives it its name; returns its size. `check` sees where the complete file is
  /// before that, and may throw to stop it. REQUIRES: every tensor is complete.
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
  std::uint64_t next_offset_ = 0;  // of the tensor declared next
  bool header_written_ = false;
  std::size_t current_ = 0;         // the tensor being appended to
  std::uint64_t current_done_ = 0;  // and how many of its bytes are written
};

}  // namespace rung
