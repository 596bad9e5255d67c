#pragma once
// Seam `tokenization`: the merge step of byte-pair encoding, from the symbols of words to tokens.
//
// text/tokenizer/models/merge.hpp describes what a rung receives and returns, because the tokenizers in that
// folder call it (Tokenizer::with_merger()). A rung sees numbers only. The tokenizer splits a text into words
// and converts their bytes to the first symbols. Thread safety: merge() is const and may be called by many
// threads.

#include <string>
#include <string_view>

#include "text/tokenizer/models/merge.hpp"

namespace rung {

struct TokenizationConfig {
  std::string describe() const { return "byte-pair encoding"; }
};

class Tokenization : public BpeMerger {
 public:
  static constexpr std::string_view kSeam = "tokenization";
  using Config = TokenizationConfig;
};

}  // namespace rung
