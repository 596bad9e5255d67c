// Decoders of a tokenizer.json.

#include <limits>

#include "core/error.hpp"
#include "text/tokenizer/formats/json_steps.hpp"
#include "text/utf8.hpp"

namespace rung {

using nlohmann::json;

namespace {

std::string one_character(const json& step, const char* key, const std::string& what) {
  const std::string text = json_string(step, key, "", what);
  if (text.empty() || utf8_next(text, 0).length != text.size()) {
    fail("{}: \"{}\" of the decoder {} is \"{}\", but should be one character", what, key,
         json_type(step, what), text);
  }
  return text;
}

std::size_t count_of(const json& step, const char* key, const std::string& what) {
  const json& value = json_value(step, key);
  if (value.is_number_unsigned()) return value.get<std::size_t>();
  const std::int64_t count = json_int(step, key, 0, what);
  if (count < 0) {
    fail("{}: \"{}\" of the decoder {} is {}, but should be 0 or more", what, key, json_type(step, what),
         count);
  }
  return static_cast<std::size_t>(count);
}

/// {"Regex": "..."} or {"String": "..."}; an empty text is found around every character.
std::shared_ptr<const DecodeStep> replace_of(const json& step, const std::string& what) {
  const json& pattern = json_value(step, "pattern");
  const std::string to = json_string(step, "content", "", what);
  const json& text = json_value(pattern, "String");
  const json& regex = json_value(pattern, "Regex");
  if (text.is_string() && !text.get_ref<const std::string&>().empty()) {
    return decode_step::replace_text(text.get<std::string>(), to);
  }
  if (!text.is_string() && !regex.is_string()) {
    fail("{}: the decoder Replace has neither a \"Regex\" nor a \"String\" as its pattern", what);
  }
  return decode_step::replace_pattern(what, text.is_string() ? "" : regex.get<std::string>(), to);
}

}  // namespace

DecodeSteps read_decoder(const json& decoder, const std::string& what) {
  namespace d = decode_step;
  DecodeSteps steps;
  if (decoder.is_null()) steps.push_back(d::join_with_spaces());
  for (const json& step : json_steps(decoder, "decoders", what)) {
    const std::string type = json_type(step, what);
    if (type == "ByteLevel") {
      d::add_byte_level(steps);
    } else if (type == "Metaspace") {
      const std::string replacement = json_value(step, "replacement").is_null()
                                          ? std::string(kVisibleSpace)
                                          : one_character(step, "replacement", what);
      steps.push_back(d::metaspace(replacement, json_prepend_scheme(step, what) != "never"));
    } else if (type == "Replace") {
      steps.push_back(replace_of(step, what));
    } else if (type == "WordPiece") {
      steps.push_back(
          d::word_piece(json_string(step, "prefix", "##", what), json_bool(step, "cleanup", true, what)));
    } else if (type == "BPEDecoder") {
      steps.push_back(d::word_suffix(json_string(step, "suffix", "</w>", what)));
    } else if (type == "Strip") {
      steps.push_back(d::strip(one_character(step, "content", what), count_of(step, "start", what),
                               count_of(step, "stop", what)));
    } else if (type == "Fuse") {
      steps.push_back(d::fuse());
    } else if (type == "ByteFallback") {
      steps.push_back(d::byte_fallback());
    } else if (type == "CTC") {
      steps.push_back(d::ctc(json_string(step, "pad_token", "<pad>", what),
                             json_string(step, "word_delimiter_token", "|", what),
                             json_bool(step, "cleanup", true, what)));
    } else {
      fail(
          "{}: the decoder \"{}\" is not supported; supported are ByteLevel, Metaspace, Replace, WordPiece, "
          "BPEDecoder, ByteFallback, Fuse, Strip, CTC and Sequence",
          what, type);
    }
  }
  return steps;
}

}  // namespace rung
