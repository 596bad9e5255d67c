#pragma once
// The steps around the model in a tokenizer.json (normalizer, pre-tokenizer, post-processor), read as data.
// Steps that would need code we do not have are refused by name: skipping one would give other ids.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/tokenizer_spm.hpp"

namespace rung {

/// The value under `key`; null where it is absent. REQUIRES: object is a JSON object or null.
const nlohmann::json& json_value(const nlohmann::json& object, const char* key);
/// The same, of a given type; `otherwise` where it is absent or null. Throws Error with `what` and the key.
std::string json_string(const nlohmann::json& object, const char* key, const std::string& otherwise,
                        const std::string& what);
bool json_bool(const nlohmann::json& object, const char* key, bool otherwise, const std::string& what);

struct TokenizerSteps {
  bool byte_level = false;            // else SentencePiece style: spaces as U+2581
  std::vector<std::string> patterns;  // byte-level: of the pre-tokenizer
  SpacePrefix space_prefix = SpacePrefix::none;
  std::optional<std::string> start;  // the token that the post-processor puts in front
};

/// `root` is the whole tokenizer.json, `what` its path. Throws Error naming a step that is not supported.
TokenizerSteps read_tokenizer_steps(const nlohmann::json& root, const std::string& what);

}  // namespace rung
