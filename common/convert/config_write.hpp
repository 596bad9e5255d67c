#pragma once
// ModelConfig into the metadata of a GGUF file, and into a config.json: config_gguf.cpp and config_hf.cpp
// backwards.

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "files/gguf_writer.hpp"
#include "model/model_config.hpp"

namespace rung {

/// A vector that GGUF keeps among the tensors: factors of RoPE's frequencies.
using NamedVector = std::pair<std::string, std::vector<float>>;
std::vector<NamedVector> rope_factor_tensors(const ModelConfig& config);

/// general.architecture and everything under its prefix. Throws Error naming `path` for a model that the
/// metadata of its architecture cannot describe.
void write_config_gguf(const ModelConfig& config, const std::string& path, GgufWriter& writer);

/// The first thing in which two configurations compute differently, as a sentence's end ("rope_theta is
/// 10000, not 500000"); empty when there is none. How Q's and K's rows lie, the name and the notes do not
/// count.
std::string config_difference(const ModelConfig& is, const ModelConfig& should_be);

/// The content of config.json, in the form that older and newer versions of transformers read. Throws
/// Error naming `path` for a model that the configuration of its architecture cannot describe.
nlohmann::ordered_json config_to_hf(const ModelConfig& config, const std::string& path);

}  // namespace rung
