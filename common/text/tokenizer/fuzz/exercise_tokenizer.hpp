#pragma once
// The operations that every fuzz target for tokenizers runs.

#include <cstdint>
#include <string_view>

#include <fmt/core.h>

#include "testing/fuzz/target.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace rung::fuzz {

/// Encodes and decodes `text`. For any vocabulary, all ids must be inside it.
inline void exercise_tokenizer(const Tokenizer& tokenizer, std::string_view text) {
  for (const bool special : {false, true}) {
    const auto ids = tokenizer.encode(text, special);
    for (const std::int32_t id : ids) {
      if (id < 0 || id >= tokenizer.vocab_size()) finding(fmt::format("id {} outside the vocabulary", id));
    }
    static_cast<void>(tokenizer.decode(ids));
    StreamDecoder stream(tokenizer);
    for (const std::int32_t id : ids) static_cast<void>(stream.push(id));
    static_cast<void>(stream.finish());
  }
  for (const std::int32_t id : {0, tokenizer.vocab_size() / 2, tokenizer.vocab_size() - 1}) {
    if (id < 0 || id >= tokenizer.vocab_size()) continue;
    static_cast<void>(tokenizer.piece(id));
    static_cast<void>(tokenizer.is_end(id));
  }
  static_cast<void>(tokenizer.describe());
}

inline constexpr std::string_view kSampleText =
    "Once upon\ta time, \xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 <s>12345</s> don't\n\n  \xff\xc3 <|endoftext|> "
    "x";

}  // namespace rung::fuzz
