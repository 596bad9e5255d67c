#pragma once
// Seam `tokenization`: the merge step of byte-pair encoding, from the symbols of words to tokens.
//
// What a rung takes and gives stands in text/tokenizer/models/merge.hpp, because the tokenizers on that floor
// call it: Tokenizer::with_merger(). A rung sees numbers only: cutting a text into words and turning bytes
// into the first symbols is the tokenizer's. Thread safety: merge() is const and may be called by many
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
