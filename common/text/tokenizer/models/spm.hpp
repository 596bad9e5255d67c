#pragma once
// SentencePiece-style BPE (Kudo, Richardson 2018, arXiv 1808.06226), as Llama's first models use it:
// spaces become U+2581, the first symbols are characters, and the two neighbours that together are the
// best-scored token are merged. A character without a token becomes its bytes ("<0xC3>").

#include <optional>

#include "text/tokenizer/decode/pieces.hpp"
#include "text/tokenizer/models/bpe.hpp"

namespace rung {

struct SpmVocab : Vocab {
  std::vector<float> scores;     // one per token; the highest merges first
  std::optional<Merges> merges;  // instead of scores: pairs, best first
  SpacePrefix space_prefix = SpacePrefix::every_text;
};

class SpmTokenizer final : public TextTokenizer {
 public:
  /// Throws Error with one sentence for a vocabulary that cannot be used.
  explicit SpmTokenizer(SpmVocab vocab);
};

/// Throws Error when a character without a token could become neither bytes nor the unknown token.
void check_unknown(const Vocab& vocab);

/// The space that SentencePiece puts in front of a text, as a step of the pre-tokenizer that also writes
/// spaces as U+2581.
PreTokenizerStep spm_spaces(SpacePrefix prefix);

}  // namespace rung
