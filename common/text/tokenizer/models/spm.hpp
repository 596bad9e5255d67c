#pragma once
// SentencePiece-style BPE (Kudo, Richardson 2018, arXiv 1808.06226), as in the first Llama models. Spaces
// become U+2581, the first symbols are characters, and the two neighbors that together are the token with the
// highest score are merged. A character without a token becomes its bytes ("<0xC3>").

#include <optional>

#include "text/tokenizer/decode/pieces.hpp"
#include "text/tokenizer/models/bpe.hpp"

namespace rung {

struct SpmVocab : Vocab {
  std::vector<float> scores;     // one per token; the highest score is merged first
  std::optional<Merges> merges;  // instead of scores: pairs, best first
  SpacePrefix space_prefix = SpacePrefix::every_text;
};

class SpmTokenizer final : public TextTokenizer {
 public:
  /// Throws Error for an unusable vocabulary.
  explicit SpmTokenizer(SpmVocab vocab);
};

/// Throws Error if a character without a token could become neither bytes nor the unknown token.
void check_unknown(const Vocab& vocab);

/// Returns a step of the pre-tokenizer that adds the space that SentencePiece puts before a text, and that
/// writes spaces as U+2581.
PreTokenizerStep spm_spaces(SpacePrefix prefix);

}  // namespace rung
