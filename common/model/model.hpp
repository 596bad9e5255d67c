#pragma once
// A loaded model: what it is, its weights, its tokenizer, and the file mapping that holds them.

#include <memory>
#include <string>

#include "model/model_config.hpp"
#include "model/tokenizer.hpp"
#include "model/weights.hpp"

namespace rung {

struct Model {
  std::string path;
  ModelConfig config;
  ModelWeights weights;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const void> storage;  // keeps mapped files and converted tensors alive
  std::size_t converted_bytes = 0;      // weights that could not be used as they lie (norms to f32)
};

/// Loads a GGUF file or a Hugging Face folder, chosen by what `path` is. Throws Error with one sentence.
Model load_model(const std::string& path);

/// Only the tokenizer of a model (a GGUF that holds nothing but a vocabulary will do).
std::shared_ptr<const Tokenizer> load_tokenizer(const std::string& path);

}  // namespace rung
