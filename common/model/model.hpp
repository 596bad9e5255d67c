#pragma once
// A loaded model: its configuration, its weights, its tokenizer, and the mapped files that contain them.

#include <memory>
#include <string>
#include <vector>

#include "files/file_bytes.hpp"
#include "model/model_config.hpp"
#include "model/weights.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung {

struct Model {
  std::string path;
  ModelConfig config;
  ModelWeights weights;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const void> storage;  // keeps mapped files and converted tensors alive
  std::string loading;                  // the rung of the seam `loading` that opened its files; can be empty
  std::size_t converted_bytes = 0;  // bytes of weights that had to be converted (for example norms to f32)
  std::vector<std::shared_ptr<const FileBytes>> files;  // the files that contain the weights

  /// Announces that `weight` will hardly be read again, because a copy of it was made (FileBytes::release).
  void release(const Tensor& weight) const;
};

class SafetensorsReader;

/// How a model is read. The result does not depend on it.
struct LoadOptions {
  /// Reader of headers (safetensors_header.hpp); null: the default one
  const SafetensorsReader* safetensors = nullptr;
  FileOpener files = map_files();  // how the files with its weights are loaded into memory
};

/// Loads a GGUF file or a Hugging Face folder, depending on `path`. Throws Error.
Model load_model(const std::string& path, const LoadOptions& options = {});

}  // namespace rung
