#pragma once
// Writes a ModelConfig into the metadata of a GGUF file, or into a config.json. This is the inverse of
// config_gguf.cpp and config_hf.cpp.

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "files/gguf_writer.hpp"
#include "model/model_config.hpp"

namespace rung {

/// A vector that GGUF stores as a tensor, such as the factors of RoPE's frequencies.
using NamedVector = std::pair<std::string, std::vector<float>>;
std::vector<NamedVector> rope_factor_tensors(const ModelConfig& config);

/// Writes general.architecture and all keys with its prefix. Throws Error, which names `path`, for a model
/// that the metadata of its architecture cannot describe.
void write_config_gguf(const ModelConfig& config, const std::string& path, GgufWriter& writer);

/// Returns the first difference between two configurations that changes the computation, as the end of a
/// sentence ("rope_theta is 10000, not 500000"). Returns an empty string if there is none. Ignores the order
/// of the rows of Q and K, the name and the notes.
std::string config_difference(const ModelConfig& is, const ModelConfig& should_be);

/// Returns the content of config.json, in a form that older and newer versions of transformers can read.
/// Throws Error, which names `path`, for a model that the configuration of its architecture cannot describe.
nlohmann::ordered_json config_to_hf(const ModelConfig& config, const std::string& path);

}  // namespace rung
