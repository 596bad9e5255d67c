#pragma once
// Reads GGUF files, versions 2 and 3 (github.com/ggml-org/ggml, docs/gguf.md): metadata by key and tensors by
// name, all as views of the mapped file.
//
// A large model can consist of several files NAME-00001-of-00003.gguf (written by llama.cpp's gguf-split).
// Each is a complete GGUF file with some of the tensors, and the first one has the metadata. Opening any of
// them opens all.
//
// open() reads the whole header once and checks every size against the number of remaining bytes before it
// uses it. Its result can then be read without further checks. Only the requested types are checked later, by
// the get functions, whose errors name the key.
//
// A Gguf is immutable, and several threads can read it. Views and spans are valid as long as the Gguf exists.

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

/// The types of metadata values, with their numbers in the file.
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

/// A tensor type: GGML's number and Rung's name of it. To add a format, add a row to the table.
struct GgmlType {
  std::uint32_t id;
  DType dtype;
  std::uint32_t file_type;  // general.file_type of a model that is mostly of this type
};
std::span<const GgmlType> ggml_types();
/// Returns the row of `type`. Throws UsageError for a format that Rung does not store in GGUF files.
const GgmlType& ggml_type(DType type);

/// One metadata entry. `raw` is the value exactly as in the file, so that it can be copied.
struct GgufEntry {
  std::string_view key;
  GgufType type = GgufType::u32;
  GgufType element_type = GgufType::u32;  // of an array
  std::uint64_t count = 0;                // elements of an array, else 1
  std::span<const std::byte> raw;
};

struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> dims;  // in GGUF's order, with the fastest-changing dimension first
  std::uint64_t offset = 0;        // of its first byte in its file
  Tensor view;                     // [dims[1] * dims[2] * ..., dims[0]]; read-only memory
};

class Gguf {
 public:
  /// Opens and checks a file and, if it belongs to a model in several files, the other ones. Throws Error
  /// with a message that begins with the path.
  static std::shared_ptr<const Gguf> open(const std::string& path, const FileOpener& opener = map_files());

  /// Returns the path of the file, or of the first of several files.
  const std::string& path() const { return file_->path(); }
  /// Returns the number of bytes of all files.
  std::uint64_t file_size() const;
  /// Returns the number of files.
  std::size_t file_count() const { return 1 + others_.size(); }
  std::uint32_t version() const { return version_; }

  // Metadata. The get functions throw Error if a value has another type than requested, or if a key without a
  // default is missing. They accept integers of any width if the value fits. get_f64 accepts integers too.
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

  // Arrays, which are read when they are requested. Strings are views of the file.
  std::vector<std::string_view> string_array(std::string_view key) const;
  std::vector<float> float_array(std::string_view key) const;       // of f32 or f64
  std::vector<std::int64_t> int_array(std::string_view key) const;  // of any integer type or bool

  /// All metadata in the order of the file. find() returns null if the key does not exist.
  std::span<const GgufEntry> entries() const { return entries_; }
  const GgufEntry* find(std::string_view key) const;
  /// Returns a value as readable text. For an array, this is its first `max_items` elements and its length.
  std::string value_text(const GgufEntry& entry, std::size_t max_items = 8) const;

  /// All tensors in the order of the file. The lookup by name returns null if no tensor has that name.
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
