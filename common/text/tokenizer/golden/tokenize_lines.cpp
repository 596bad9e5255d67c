// A tool for the scripts make_tokenizer_fuzz.py, make_tokenizer_small.py, make_tokenizer_regex.py and
// time_tokenizers.py. It reads texts as JSON strings, one per line. For each text, it writes a line with the
// ids and the text to which they decode: {"ids": [...], "text": "..."}
//
//     tokenize_lines MODEL < TEXTS        MODEL is a GGUF file or a folder
//     tokenize_lines MODEL --no-special   adds no special tokens, and encodes those in the text as text
//     tokenize_lines MODEL --ids          reads lists of ids, and writes the decoded text and the parts in
//                                         which a stream returns it: {"text": "...", "parts": ["...", ...]}
//     tokenize_lines MODEL --time         writes only the number of tokens and the seconds of encoding
//     tokenize_lines --pre NAME           writes the words of a GGUF pre-tokenizer instead of ids
//     tokenize_lines --patterns           reads nothing, and writes all pre-tokenizers and their patterns
//     tokenize_lines --tokenizers         reads {"tokenizer": {...}, "texts": [...], "ids": [[...]]}, where
//                                         "tokenizer" is a tokenizer.json, and writes the ids of the texts
//                                         and the texts of the ids: {"ids": [[...]], "texts": as with --ids}
//     tokenize_lines --regex MARK         reads lines ["pattern", ["text", ...]]. Writes the words of a Split
//                                         of each text, and each text with every match replaced by MARK:
//                                         {"words": [...], "replaced": [...]} or {"error": "..."}

#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.hpp"
#include "core/timer.hpp"
#include "text/tokenizer/formats/load.hpp"
#include "text/tokenizer/split/normalize.hpp"
#include "text/tokenizer/split/pretokenize.hpp"
#include "text/utf8.hpp"

namespace {

using nlohmann::json;

template <class Question, class Answer>
void each_line(Answer&& answer) {
  for (std::string line; std::getline(std::cin, line);) {
    const json result = answer(json::parse(line).get<Question>());
    fmt::print("{}\n", result.dump(-1, ' ', true, json::error_handler_t::replace));
  }
}

/// Returns the result of `make`, or the message of its Error.
template <class Make>
json or_error(Make&& make) {
  try {
    return make();
  } catch (const rung::Error& error) {
    return error.what();
  }
}

/// Returns {"text": the decoded ids, "parts": the parts in which a stream returns this text}.
json decoded(const rung::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  json parts = json::array();
  rung::StreamDecoder stream(tokenizer);
  for (const std::int32_t id : ids) parts.push_back(stream.push(id));
  parts.push_back(stream.finish());
  return {{"text", rung::utf8_repaired(tokenizer.decode(ids))}, {"parts", parts}};
}

json answers_of_tokenizer(const json& question) {
  const auto tokenizer = rung::tokenizer_from_json_text(question.at("tokenizer").dump(), "tokenizer", {});
  json ids = json::array(), texts = json::array();
  for (const std::string text : question.at("texts")) {
    ids.push_back(or_error([&] { return json(tokenizer->encode(text, false)); }));
  }
  for (const std::vector<std::int32_t> list : question.at("ids")) {
    texts.push_back(or_error([&] { return decoded(*tokenizer, list); }));
  }
  return {{"ids", ids}, {"texts", texts}};
}

json words_of(const rung::Words& words) {
  json result = json::array();
  for (const rung::Span span : words.spans) result.push_back(words.word(span));
  return result;
}

json split_and_replaced(const std::string& pattern, const std::vector<std::string>& texts,
                        const std::string& mark) {
  const rung::PreTokenizer pre_tokenizer("argument", {pattern});
  const rung::NormalizerStep replace = rung::normalizer::replace_pattern("argument", pattern, mark);
  json result = {{"words", json::array()}, {"replaced", json::array()}};
  for (const std::string& text : texts) {
    rung::Words words;
    pre_tokenizer.run(text, true, words);
    result["words"].push_back(words_of(words));
    rung::NormalizerState state;
    result["replaced"].push_back(replace(text, state));
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty()) rung::fail("usage: tokenize_lines MODEL | --pre NAME | --patterns");
    if (arguments[0] == "--patterns") {
      json all = json::object();
      for (const rung::PreTokenizerRow& row : rung::pre_tokenizers())
        all[std::string(row.name)] = row.patterns;
      fmt::print("{}\n", all.dump());
      return 0;
    }
    if (arguments[0] == "--pre" && arguments.size() == 2) {
      const auto& patterns = rung::find_pre_tokenizer("argument", arguments[1]).patterns;
      const rung::PreTokenizer pre_tokenizer("argument",
                                             std::vector<std::string>(patterns.begin(), patterns.end()));
      each_line<std::string>([&](const std::string& text) {
        rung::Words words;
        pre_tokenizer.run(text, true, words);
        return words_of(words);
      });
      return 0;
    }
    if (arguments[0] == "--tokenizers") {
      each_line<json>([](const json& line) { return or_error([&] { return answers_of_tokenizer(line); }); });
      return 0;
    }
    if (arguments[0] == "--regex" && arguments.size() == 2) {
      each_line<json>([&](const json& line) -> json {
        try {
          return split_and_replaced(line[0], line[1], arguments[1]);
        } catch (const rung::Error& error) {
          return {{"error", error.what()}};
        }
      });
      return 0;
    }
    const auto tokenizer = rung::load_tokenizer(arguments[0]);
    if (arguments.size() == 2 && arguments[1] == "--time") {
      std::vector<std::string> texts;
      for (std::string line; std::getline(std::cin, line);)
        texts.push_back(json::parse(line).get<std::string>());
      const rung::Timer timer;
      std::size_t tokens = 0;
      for (const std::string& text : texts) tokens += tokenizer->encode(text, false).size();
      fmt::print("{}\n", json{{"seconds", timer.seconds()}, {"tokens", tokens}}.dump());
      return 0;
    }
    if (arguments.size() == 2 && arguments[1] == "--ids") {
      each_line<std::vector<std::int32_t>>([&](const auto& ids) { return decoded(*tokenizer, ids); });
      return 0;
    }
    const bool special = arguments.size() < 2 || arguments[1] != "--no-special";
    each_line<std::string>([&](const std::string& text) {
      const auto ids = tokenizer->encode(text, special, special);
      return json{{"ids", ids}, {"text", tokenizer->decode(ids)}};
    });
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
