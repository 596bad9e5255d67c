// Normalizers and pre-tokenizers of a tokenizer.json. Their meaning: github.com/huggingface/tokenizers,
// tokenizers/src/normalizers and pre_tokenizers.

#include "text/tokenizer/formats/json_steps.hpp"

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "files/base64.hpp"
#include "text/utf8.hpp"

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

std::int64_t json_int(const json& object, const char* key, std::int64_t otherwise, const std::string& what) {
  const json& value = json_value(object, key);
  if (value.is_null()) return otherwise;
  if (!value.is_number_integer()) {
    fail("{}: \"{}\" is a JSON {}, but should be a whole number", what, key, value.type_name());
  }
  return value.get<std::int64_t>();
}

std::string json_type(const json& step, const std::string& what) {
  return json_string(step, "type", "", what);
}

std::string json_prepend_scheme(const json& step, const std::string& what) {
  // Files from before prepend_scheme have add_prefix_space.
  const char* old = json_bool(step, "add_prefix_space", true, what) ? "always" : "never";
  const std::string scheme = json_string(step, "prepend_scheme", old, what);
  if (scheme == "never" || scheme == "first" || scheme == "always") return scheme;
  fail("{}: Metaspace's prepend_scheme \"{}\" is not known; it must be never, first or always", what, scheme);
}

namespace {

void flatten(const json& step, const char* list, const std::string& what, int depth, std::vector<json>& all) {
  if (step.is_null()) return;
  if (!step.is_object())
    fail("{}: a step is a JSON {}, but should be an object with a type", what, step.type_name());
  if (json_type(step, what) != "Sequence") {
    all.push_back(step);
    return;
  }
  constexpr int kMaxDepth = 8;
  if (depth == kMaxDepth) fail("{}: Sequences are nested more than {} deep", what, kMaxDepth);
  for (const json& inner : json_value(step, list)) flatten(inner, list, what, depth + 1, all);
}

/// {"Regex": "..."} as it is, {"String": " "} as a regular expression.
std::string pattern_of(const json& step, const std::string& what) {
  const json& pattern = json_value(step, "pattern");
  if (json_value(pattern, "Regex").is_string()) return pattern["Regex"].get<std::string>();
  const std::string text = json_string(pattern, "String", "", what);
  if (text.empty()) {
    fail("{}: a {} has neither a \"Regex\" nor a \"String\" as its pattern", what, json_type(step, what));
  }
  std::string escaped;
  for (const char c : text) {
    const bool plain = is_ascii_letter(c) || is_ascii_digit(c) || (c & 0x80);
    escaped += plain ? std::string{c} : fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  }
  return escaped;
}

NormalizerStep bert_of(const json& step, const std::string& what) {
  normalizer::BertRules rules;
  rules.clean_text = json_bool(step, "clean_text", true, what);
  rules.space_around_cjk = json_bool(step, "handle_chinese_chars", true, what);
  rules.lowercase = json_bool(step, "lowercase", true, what);
  if (!json_value(step, "strip_accents").is_null())
    rules.strip_accents = json_bool(step, "strip_accents", false, what);
  return normalizer::bert(rules);
}

void read_normalizer(const json& root, TokenizerSteps& steps, const std::string& what) {
  namespace n = normalizer;
  for (const json& step : json_steps(root, "normalizers", what)) {
    const std::string type = json_type(step, what);
    if (type == "NFC") {
      steps.normalizer.add(n::form(unicode::Form::nfc));
    } else if (type == "NFD") {
      steps.normalizer.add(n::form(unicode::Form::nfd));
    } else if (type == "NFKC") {
      steps.normalizer.add(n::form(unicode::Form::nfkc));
    } else if (type == "NFKD") {
      steps.normalizer.add(n::form(unicode::Form::nfkd));
    } else if (type == "Lowercase") {
      steps.normalizer.add(n::lowercase());
    } else if (type == "StripAccents") {
      steps.normalizer.add(n::strip_accents());
    } else if (type == "Strip") {
      steps.normalizer.add(
          n::strip(json_bool(step, "strip_left", true, what), json_bool(step, "strip_right", true, what)));
    } else if (type == "Replace") {
      const std::string to = json_string(step, "content", "", what);
      const json& text = json_value(json_value(step, "pattern"), "String");
      if (text.is_string() && !text.get_ref<const std::string&>().empty()) {
        steps.normalizer.add(n::replace_text(text.get<std::string>(), to));
      } else {
        steps.normalizer.add(n::replace_pattern(what, pattern_of(step, what), to));
      }
    } else if (type == "Prepend") {
      steps.normalizer.add(n::prepend(json_string(step, "prepend", "", what)));
    } else if (type == "Nmt") {
      steps.normalizer.add(n::nmt());
    } else if (type == "ByteLevel") {
      steps.normalizer.add(n::visible_bytes());
    } else if (type == "BertNormalizer") {
      steps.normalizer.add(bert_of(step, what));
    } else if (type == "Precompiled") {
      const std::string blob = from_base64(json_string(step, "precompiled_charsmap", "", what), what);
      if (!blob.empty()) steps.normalizer.add(n::precompiled(Charsmap(what, blob)));
    } else {
      fail(
          "{}: the normalizer \"{}\" is not supported; supported are NFC, NFD, NFKC, NFKD, Lowercase, "
          "StripAccents, Strip, Replace, Prepend, Nmt, ByteLevel, BertNormalizer, Precompiled and Sequence",
          what, type);
    }
  }
}

SplitBehavior behavior_of(const json& step, const std::string& otherwise, const std::string& what) {
  const std::string name = json_string(step, "behavior", otherwise, what);
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  fail(
      "{}: the behavior \"{}\" of a {} is not known; it must be one of: Removed, Isolated, "
      "MergedWithPrevious, "
      "MergedWithNext and Contiguous",
      what, name, json_type(step, what));
}

PreTokenizerStep metaspace_of(const json& step, const std::string& what) {
  using pre_tokenizer::Prepend;
  const std::string replacement = json_string(step, "replacement", std::string(kVisibleSpace), what);
  if (replacement.empty()) fail("{}: the pre-tokenizer Metaspace has an empty \"replacement\"", what);
  const std::string scheme = json_prepend_scheme(step, what);
  const Prepend prepend = scheme == "first"    ? Prepend::first
                          : scheme == "always" ? Prepend::always
                                               : Prepend::never;
  return pre_tokenizer::metaspace(replacement, prepend, json_bool(step, "split", true, what));
}

void read_pre_tokenizer(const json& root, TokenizerSteps& steps, const std::string& what) {
  namespace p = pre_tokenizer;
  auto& list = steps.pre_tokenizer;
  for (const json& step : json_steps(root, "pretokenizers", what)) {
    const std::string type = json_type(step, what);
    if (steps.byte_level) {
      fail(
          "{}: the pre-tokenizer \"{}\" behind ByteLevel is not supported: it would see visible bytes, not "
          "text",
          what, type);
    }
    if (type == "ByteLevel") {
      if (json_bool(step, "add_prefix_space", true, what)) list.push_back(p::prefix_space());
      if (json_bool(step, "use_regex", true, what)) {
        list.push_back(p::split(what, std::string(kGpt2Pattern), SplitBehavior::isolated, false));
      }
      steps.byte_level = true;
    } else if (type == "Split") {
      list.push_back(p::split(what, pattern_of(step, what), behavior_of(step, "", what),
                              json_bool(step, "invert", false, what)));
    } else if (type == "Metaspace") {
      list.push_back(metaspace_of(step, what));
    } else if (type == "Whitespace") {
      list.push_back(p::words_and_punctuation());
    } else if (type == "WhitespaceSplit") {
      list.push_back(p::split_at(unicode::is_space, SplitBehavior::removed));
    } else if (type == "Punctuation") {
      list.push_back(p::split_at(unicode::tokenizers_punctuation, behavior_of(step, "Isolated", what)));
    } else if (type == "Digits") {
      const bool each = json_bool(step, "individual_digits", false, what);
      list.push_back(
          p::split_at(unicode::is_number, each ? SplitBehavior::isolated : SplitBehavior::contiguous));
    } else if (type == "BertPreTokenizer") {
      for (PreTokenizerStep& part : p::bert()) list.push_back(std::move(part));
    } else {
      fail(
          "{}: the pre-tokenizer \"{}\" is not supported; supported are ByteLevel, Split, Metaspace, "
          "Whitespace, WhitespaceSplit, Punctuation, Digits, BertPreTokenizer and Sequence",
          what, type);
    }
  }
}

}  // namespace

std::vector<json> json_steps(const json& step, const char* list, const std::string& what) {
  std::vector<json> all;
  flatten(step, list, what, 0, all);
  return all;
}

TokenizerSteps read_tokenizer_steps(const json& root, const std::string& what) {
  TokenizerSteps steps;
  read_normalizer(json_value(root, "normalizer"), steps, what);
  read_pre_tokenizer(json_value(root, "pre_tokenizer"), steps, what);
  steps.decoder = read_decoder(json_value(root, "decoder"), what);
  read_post_processor(json_value(root, "post_processor"), steps, what);
  return steps;
}

}  // namespace rung
