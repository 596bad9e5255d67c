#pragma once
// Reads safetensors files (github.com/huggingface/safetensors): 8 bytes with the length of a JSON
// header, the header, the tensors. A model is one such file or several shards with an index.
//
// As with GGUF, open() checks everything against the bytes that are there; views then need no checks.
// Data types that this engine has no use for (I64, F8_E5M2, ...) may stand in a file: their view is empty.

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
  std::uint64_t bytes = 0;          // that it takes in the file
  Tensor view;                      // [product of all but the last, last]; may be unaligned for its type
};

class SafeTensors {
 public:
  /// One file. Throws Error with a sentence that starts with the path.
  static std::shared_ptr<const SafeTensors> open_file(
      const std::string& path, const SafetensorsReader& reader = default_safetensors_reader(),
      const FileOpener& opener = map_files());
  /// A folder with model.safetensors, or with model.safetensors.index.json and its shards.
  static std::shared_ptr<const SafeTensors> open_folder(
      const std::string& folder, const SafetensorsReader& reader = default_safetensors_reader(),
      const FileOpener& opener = map_files());

  const std::string& path() const { return path_; }
  /// All tensors by name; null when there is none of that name.
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
