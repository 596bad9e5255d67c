#pragma once
// Reads safetensors files (github.com/huggingface/safetensors). Such a file has 8 bytes with the length of a
// JSON header, the header, and the tensors. A model is one such file, or several shards with an index.
//
// As with GGUF, opening checks everything against the existing bytes, so that views need no checks. A file
// can contain data types that Rung does not support (I64, F8_E5M2, ...); their view is empty.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"
#include "files/file_bytes.hpp"
#include "files/safetensors_header.hpp"

namespace rung {

struct SafeTensor {
  std::string name;
  std::string dtype_name;           // as the file writes it: "BF16"
  std::vector<std::int64_t> shape;  // slowest dimension first; empty for a scalar
  std::uint64_t bytes = 0;          // size in the file
  Tensor view;                      // [product of all but the last, last]; may be unaligned for its type
};

class SafeTensors {
 public:
  /// Opens one file. Throws Error with a message that begins with the path.
  static std::shared_ptr<const SafeTensors> open_file(
      const std::string& path, const SafetensorsReader& reader = default_safetensors_reader(),
      const FileOpener& opener = map_files());
  /// Opens a folder with model.safetensors, or with model.safetensors.index.json and its shards.
  static std::shared_ptr<const SafeTensors> open_folder(
      const std::string& folder, const SafetensorsReader& reader = default_safetensors_reader(),
      const FileOpener& opener = map_files());

  const std::string& path() const { return path_; }
  /// All tensors by name. The lookup returns null if no tensor has that name.
  const std::map<std::string, SafeTensor, std::less<>>& tensors() const { return tensors_; }
  const SafeTensor* find(std::string_view name) const;

 private:
  SafeTensors(std::string path, FileOpener opener) : path_(std::move(path)), opener_(std::move(opener)) {}
  void read_file(const std::string& path, const SafetensorsReader& reader);
  void read_shards(const std::string& folder, const std::string& index_path, const SafetensorsReader& reader);

  std::string path_;
  FileOpener opener_;
  std::vector<std::shared_ptr<const FileBytes>> files_;
  std::map<std::string, SafeTensor, std::less<>> tensors_;
};

}  // namespace rung
