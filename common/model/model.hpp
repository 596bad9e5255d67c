#pragma once
// A loaded model: what it is, its weights, its tokenizer, and the file mapping that holds them.

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
  std::string loading;                  // the rung of seam `loading` that opened its files; may be empty
  std::size_t converted_bytes = 0;      // weights that could not be used as they lie (norms to f32)
  std::vector<std::shared_ptr<const FileBytes>> files;  // that hold the weights

  /// Says that `weight` will hardly be read again: somebody made a copy of it (FileBytes::release).
  void release(const Tensor& weight) const;
};

class SafetensorsReader;

/// How a model is read; what it becomes does not depend on it.
struct LoadOptions {
  const SafetensorsReader* safetensors = nullptr;  // of headers (safetensors_header.hpp); null: the plain one
  FileOpener files = map_files();                  // how the files of its weights get into memory
};

/// Loads a GGUF file or a Hugging Face folder, chosen by what `path` is. Throws Error with one sentence.
Model load_model(const std::string& path, const LoadOptions& options = {});

}  // namespace rung
