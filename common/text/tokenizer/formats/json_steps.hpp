#pragma once
// Reads the steps around the model in a tokenizer.json (normalizer, pre-tokenizer, post-processor, decoder)
// as data. A step that Rung does not implement is rejected by its name, because skipping it would give other
// ids.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizer/text.hpp"

namespace rung {

/// Returns the value of `key`, or null if it is missing. REQUIRES: `object` is a JSON object or null.
const nlohmann::json& json_value(const nlohmann::json& object, const char* key);
/// Returns the value of `key` as a given type, or `otherwise` if it is missing or null. Throws Error, which
/// names `what` and the key, for another type.
std::string json_string(const nlohmann::json& object, const char* key, const std::string& otherwise,
                        const std::string& what);
bool json_bool(const nlohmann::json& object, const char* key, bool otherwise, const std::string& what);
std::int64_t json_int(const nlohmann::json& object, const char* key, std::int64_t otherwise,
                      const std::string& what);
/// Returns a step, or the steps of a Sequence under `list` ("normalizers"), in order. Sequences can be
/// nested.
std::vector<nlohmann::json> json_steps(const nlohmann::json& step, const char* list, const std::string& what);
/// Returns the "type" of a step.
std::string json_type(const nlohmann::json& step, const std::string& what);
/// Returns the prepend_scheme of a Metaspace: "never", "first" or "always".
std::string json_prepend_scheme(const nlohmann::json& step, const std::string& what);

struct TokenizerSteps {
  Normalizer normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool byte_level = false;  // the model receives words as the visible characters of their bytes
  DecodeSteps decoder;
  std::vector<std::string> before, after;  // tokens that the post-processor adds before and after a text
};

/// Reads the steps. `root` is the whole tokenizer.json, and `what` is its path. Throws Error, which names the
/// step, for a step that is not supported.
TokenizerSteps read_tokenizer_steps(const nlohmann::json& root, const std::string& what);

/// Reads the decoder or the post-processor, after the other steps were read.
DecodeSteps read_decoder(const nlohmann::json& decoder, const std::string& what);
void read_post_processor(const nlohmann::json& processor, TokenizerSteps& steps, const std::string& what);

}  // namespace rung
