#pragma once
// The families of models that can be loaded, one row each. A new family is a new row; where its
// mathematics differs, a new field of ModelConfig (read in config_gguf.cpp and config_hf.cpp).

#include <span>
#include <string>
#include <string_view>

#include "model/model_config.hpp"

namespace rung {

struct Family {
  std::string_view gguf_name;  // general.architecture, and the prefix of its metadata keys
  std::string_view hf_name;    // model_type of config.json
  // GGUF's converter permutes the rows of Q and K for some families; Hugging Face never does.
  RopePairs gguf_rope_pairs;
  RopePairs hf_rope_pairs;
};

std::span<const Family> families();

/// The row with that name; throws Error naming `path`, the name and the known ones.
const Family& family_of_gguf(const std::string& path, std::string_view name);
const Family& family_of_hf(const std::string& path, std::string_view name);

class Gguf;
/// Reads and validates the configuration of a GGUF file.
ModelConfig config_from_gguf(const Gguf& gguf);
/// Reads and validates config.json of a Hugging Face folder. `has_output` says whether the folder has an
/// output matrix of its own: where config.json does not say, that decides whether the embeddings are tied.
ModelConfig config_from_hf(const std::string& folder, bool has_output);

}  // namespace rung
