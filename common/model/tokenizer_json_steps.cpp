// The steps of a tokenizer.json. Their meaning: github.com/huggingface/tokenizers, tokenizers/src.

#include "model/tokenizer_json_steps.hpp"

#include "core/error.hpp"

namespace rung {

using nlohmann::json;

const json& json_value(const json& object, const char* key) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string json_string(const json& object, const char* key, const std::string& otherwise,
                        const std::string& what) {
  const json& value = json_value(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_string())
    fail("{}: \"{}\" is a JSON {}, but should be a string", what, key, value.type_name());
  return value.get<std::string>();
}

bool json_bool(const json& object, const char* key, bool otherwise, const std::string& what) {
  const json& value = json_value(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) {
    fail("{}: \"{}\" is a JSON {}, but should be true or false", what, key, value.type_name());
  }
  return value.get<bool>();
}

namespace {

constexpr const char* kVisibleSpace = "\xE2\x96\x81";  // U+2581

std::string type_of(const json& step, const std::string& what) { return json_string(step, "type", "", what); }

/// A step, or the steps of a Sequence, under `list` ("normalizers"), in order.
std::vector<json> flattened(const json& step, const char* list, const std::string& what) {
  if (step.is_null()) return {};
  if (!step.is_object())
    fail("{}: a step is a JSON {}, but should be an object with a type", what, step.type_name());
  if (type_of(step, what) != "Sequence") return {step};
  std::vector<json> result;
  for (const json& inner : json_value(step, list)) {
    if (type_of(inner, what) == "Sequence") fail("{}: a Sequence inside a Sequence is not supported", what);
    if (!inner.is_object()) fail("{}: a step of a Sequence is no JSON object", what);
    result.push_back(inner);
  }
  return result;
}

/// {"String": " "} or {"Regex": "..."} as a regular expression.
std::string pattern_of(const json& step, const std::string& what) {
  const json& pattern = json_value(step, "pattern");
  if (json_value(pattern, "Regex").is_string()) return pattern["Regex"].get<std::string>();
  const std::string text = json_string(pattern, "String", "", what);
  if (text.empty()) fail("{}: a Split has neither a \"Regex\" nor a \"String\" as its pattern", what);
  std::string escaped;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80);
    escaped += plain ? std::string{c} : fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  }
  return escaped;
}

bool is_one_space(const json& pattern) {
  const json& text = json_value(pattern, "String");
  return text.is_string() && text.get_ref<const std::string&>() == " ";
}

/// True when the normalizer writes spaces as U+2581; sets the prefix.
bool read_normalizer(const json& normalizer, TokenizerSteps& steps, const std::string& what) {
  bool visible_spaces = false;
  for (const json& step : flattened(normalizer, "normalizers", what)) {
    const std::string type = type_of(step, what);
    const json& pattern = json_value(step, "pattern");
    if (type == "Prepend" && !visible_spaces && json_string(step, "prepend", "", what) == kVisibleSpace) {
      steps.space_prefix = SpacePrefix::every_text;
    } else if (type == "Replace" && is_one_space(pattern) &&
               json_string(step, "content", "", what) == kVisibleSpace) {
      visible_spaces = true;
    } else {
      fail(
          "{}: the normalizer {} is not supported; supported are none, and Prepend and Replace of spaces by "
          "U+2581",
          what, step.dump().substr(0, 200));
    }
  }
  if (steps.space_prefix != SpacePrefix::none && !visible_spaces) {
    fail(
        "{}: the normalizer puts U+2581 in front of a text but leaves the spaces in it, which is not "
        "supported",
        what);
  }
  return visible_spaces;
}

void read_metaspace(const json& step, TokenizerSteps& steps, const std::string& what) {
  if (json_string(step, "replacement", "", what) != kVisibleSpace || json_bool(step, "split", true, what)) {
    fail("{}: the pre-tokenizer Metaspace is supported with replacement U+2581 and \"split\": false only",
         what);
  }
  const std::string scheme = json_string(step, "prepend_scheme", "always", what);
  if (scheme == "never" || !json_bool(step, "add_prefix_space", true, what)) {
    steps.space_prefix = SpacePrefix::none;
  } else if (scheme == "first") {
    steps.space_prefix = SpacePrefix::first_unless_space;
  } else if (scheme == "always") {
    steps.space_prefix = SpacePrefix::every_text_unless_space;
  } else {
    fail("{}: Metaspace's prepend_scheme \"{}\" is not known; known are never, first, always", what, scheme);
  }
}

/// The pattern by which one step splits a text into pieces that together are the text.
std::string splitting_pattern(const json& step, const std::string& what) {
  const std::string type = type_of(step, what);
  if (type == "Digits") {
    return json_bool(step, "individual_digits", false, what) ? R"(\p{N})" : R"(\p{N}+)";
  }
  if (type != "Split") {
    fail(
        "{}: the pre-tokenizer \"{}\" is not supported; supported are ByteLevel, Split, Digits and Metaspace",
        what, type);
  }
  const std::string behavior = json_string(step, "behavior", "", what);
  if (behavior != "Isolated") {
    fail("{}: a Split of behavior \"{}\" is not supported; supported is Isolated", what, behavior);
  }
  return pattern_of(step, what);
}

void read_pre_tokenizer(const json& pre_tokenizer, bool visible_spaces, TokenizerSteps& steps,
                        const std::string& what) {
  const std::vector<json> list = flattened(pre_tokenizer, "pretokenizers", what);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json& step = list[i];
    const std::string type = type_of(step, what);
    if (type == "Metaspace" && list.size() == 1 && !visible_spaces) {
      read_metaspace(step, steps, what);
    } else if (visible_spaces && type == "Split" && is_one_space(json_value(step, "pattern"))) {
      // Gemma's: it splits at spaces, of which the normalizer leaves none.
    } else if (type == "ByteLevel" && i + 1 == list.size() && !visible_spaces) {
      if (json_bool(step, "add_prefix_space", true, what)) {
        fail(
            "{}: ByteLevel with \"add_prefix_space\": true is not supported: texts would not come back as "
            "they were",
            what);
      }
      if (json_bool(step, "use_regex", true, what)) steps.patterns.emplace_back(kGpt2Pattern);
      steps.byte_level = true;
    } else if (visible_spaces || steps.byte_level) {
      fail("{}: the pre-tokenizer \"{}\" is not supported in this place", what, type);
    } else {
      steps.patterns.push_back(splitting_pattern(step, what));
    }
  }
}

/// TemplateProcessing: what stands in front of the text. What stands behind it (an end token) is left out:
/// a prompt is there to be continued.
void read_template(const json& step, TokenizerSteps& steps, const std::string& what) {
  for (const json& part : json_value(step, "single")) {
    if (part.is_object() && part.contains("Sequence")) return;
    const std::string token = json_string(json_value(part, "SpecialToken"), "id", "", what);
    if (token.empty() || steps.start) {
      fail(
          "{}: the post-processor's \"single\" is not of the form [one special token, the text], which is "
          "what is "
          "supported",
          what);
    }
    steps.start = token;
  }
}

}  // namespace

TokenizerSteps read_tokenizer_steps(const json& root, const std::string& what) {
  TokenizerSteps steps;
  const bool visible_spaces = read_normalizer(json_value(root, "normalizer"), steps, what);
  read_pre_tokenizer(json_value(root, "pre_tokenizer"), visible_spaces, steps, what);
  const bool metaspace = type_of(json_value(root, "pre_tokenizer"), what) == "Metaspace";
  if (!steps.byte_level && !visible_spaces && !metaspace) {
    fail(
        "{}: the tokenizer is neither byte-level (pre-tokenizer ByteLevel) nor SentencePiece-style (spaces "
        "as "
        "U+2581); other kinds are not supported",
        what);
  }
  for (const json& step : flattened(json_value(root, "post_processor"), "processors", what)) {
    const std::string type = type_of(step, what);
    if (type == "TemplateProcessing") {
      read_template(step, steps, what);
    } else if (type != "ByteLevel") {  // that one only moves offsets
      fail("{}: the post-processor \"{}\" is not supported; supported are TemplateProcessing and ByteLevel",
           what, type);
    }
  }
  return steps;
}

}  // namespace rung
