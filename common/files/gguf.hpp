#pragma once
// Reads GGUF files, versions 2 and 3 (github.com/ggml-org/ggml, docs/gguf.md): metadata by key, then
// tensors by name, all as views of the mapped file.
//
// A large model may come in several files NAME-00001-of-00003.gguf (llama.cpp's gguf-split): each is a whole
// GGUF file with some of the tensors, the first has the metadata. Opening any of them opens all.
//
// open() walks the whole header once and checks every size against the bytes that are left before it
// uses it; what it returns can be read without further checks. Only the types asked for are checked
// later, by the get functions, each with a sentence that names the key.
//
// A Gguf is immutable and may be read by many threads. Views and spans live as long as it does.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"
#include "files/file_bytes.hpp"

namespace rung {

/// The types of metadata values, with the numbers that the file has for them.
enum class GgufType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};
std::string_view gguf_type_name(GgufType type);

/// Tensor types: GGML's number of a type and our name of it. A new format is a new row.
struct GgmlType {
  std::uint32_t id;
  DType dtype;
  std::uint32_t file_type;  // general.file_type of a model that is mostly of this type
};
std::span<const GgmlType> ggml_types();
/// The row of `type`; throws UsageError for a format that GGUF files cannot hold here.
const GgmlType& ggml_type(DType type);

/// One metadata entry. `raw` is the value exactly as the file has it (for copying it).
struct GgufEntry {
  std::string_view key;
  GgufType type = GgufType::u32;
  GgufType element_type = GgufType::u32;  // of an array
  std::uint64_t count = 0;                // elements of an array, else 1
  std::span<const std::byte> raw;
};

struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> dims;  // as GGUF writes them: the fastest-running one first
  std::uint64_t offset = 0;        // of its first byte in its file
  Tensor view;                     // [dims[1] * dims[2] * ..., dims[0]]; read-only memory
};

class Gguf {
 public:
  /// Opens and checks a file, and the others where it is one of several. Throws Error with a sentence that
  /// starts with the path.
  static std::shared_ptr<const Gguf> open(const std::string& path, const FileOpener& opener = map_files());

  /// Of the file, or of the first of several.
  const std::string& path() const { return file_->path(); }
  /// Bytes of all files.
  std::uint64_t file_size() const;
  /// How many files these are.
  std::size_t file_count() const { return 1 + others_.size(); }
  std::uint32_t version() const { return version_; }

  // Metadata. A value of another type than asked for is an Error; so is a missing key where no
  // default is given. Integers of any width are accepted where they fit; get_f64 takes integers too.
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::uint64_t get_u64(std::string_view key) const;
  std::uint64_t get_u64(std::string_view key, std::uint64_t otherwise) const;
  std::int64_t get_i64(std::string_view key) const;
  std::int64_t get_i64(std::string_view key, std::int64_t otherwise) const;
  double get_f64(std::string_view key) const;
  double get_f64(std::string_view key, double otherwise) const;
  bool get_bool(std::string_view key) const;
  bool get_bool(std::string_view key, bool otherwise) const;
  std::string get_string(std::string_view key) const;
  std::string get_string(std::string_view key, std::string_view otherwise) const;

  // Arrays; read when asked for. Strings are views of the file.
  std::vector<std::string_view> string_array(std::string_view key) const;
  std::vector<float> float_array(std::string_view key) const;       // of f32 or f64
  std::vector<std::int64_t> int_array(std::string_view key) const;  // of any integer type or bool

  /// All metadata in the order of the file; null when there is no such key.
  std::span<const GgufEntry> entries() const { return entries_; }
  const GgufEntry* find(std::string_view key) const;
  /// A value as text for people; of an array the first `max_items` elements and its length.
  std::string value_text(const GgufEntry& entry, std::size_t max_items = 8) const;

  /// All tensors in the order of the file; null when there is no tensor of that name.
  std::span<const GgufTensor> tensors() const { return tensors_; }
  const GgufTensor* find_tensor(std::string_view name) const;

 private:
  explicit Gguf(std::shared_ptr<const FileBytes> file);
  static std::shared_ptr<Gguf> open_one(const std::string& path, const FileOpener& opener);
  void read_tensors(class GgufCursor& cursor, std::uint64_t count);
  void add_file(std::shared_ptr<const Gguf> file);
  const GgufEntry& entry(std::string_view key, std::string_view wanted) const;
  const GgufEntry& array(std::string_view key, std::string_view wanted) const;

  std::shared_ptr<const FileBytes> file_;
  std::vector<std::shared_ptr<const Gguf>> others_;  // the files after the first
  std::uint32_t version_ = 0;
  std::vector<GgufEntry> entries_;
  std::map<std::string_view, std::size_t> entry_by_key_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> tensor_by_name_;
};

}  // namespace rung
