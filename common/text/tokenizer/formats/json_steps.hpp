#pragma once
// The steps around the model in a tokenizer.json (normalizer, pre-tokenizer, post-processor, decoder), read
// as data. Steps that would need code we do not have are refused by name: skipping one would give other ids.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizer/text.hpp"

namespace rung {

/// The value under `key`; null where it is absent. REQUIRES: object is a JSON object or null.
const nlohmann::json& json_value(const nlohmann::json& object, const char* key);
/// The same, of a given type; `otherwise` where it is absent or null. Throws Error with `what` and the key.
std::string json_string(const nlohmann::json& object, const char* key, const std::string& otherwise,
                        const std::string& what);
bool json_bool(const nlohmann::json& object, const char* key, bool otherwise, const std::string& what);
std::int64_t json_int(const nlohmann::json& object, const char* key, std::int64_t otherwise,
                      const std::string& what);
/// A step, or the steps of a Sequence, under `list` ("normalizers"), in order; Sequences may be nested.
std::vector<nlohmann::json> json_steps(const nlohmann::json& step, const char* list, const std::string& what);
/// The "type" of a step.
std::string json_type(const nlohmann::json& step, const std::string& what);
/// The prepend_scheme of a Metaspace: "never", "first" or "always".
std::string json_prepend_scheme(const nlohmann::json& step, const std::string& what);

struct TokenizerSteps {
  Normalizer normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  bool byte_level = false;  // words go to the model as the visible characters of their bytes
  DecodeSteps decoder;
  std::vector<std::string> before, after;  // tokens that the post-processor puts around a text
};

/// `root` is the whole tokenizer.json, `what` its path. Throws Error naming a step that is not supported.
TokenizerSteps read_tokenizer_steps(const nlohmann::json& root, const std::string& what);

/// The decoder and the post-processor, once the rest is there.
DecodeSteps read_decoder(const nlohmann::json& decoder, const std::string& what);
void read_post_processor(const nlohmann::json& processor, TokenizerSteps& steps, const std::string& what);

}  // namespace rung
