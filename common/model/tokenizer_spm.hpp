#pragma once
// SentencePiece-style BPE (Kudo, Richardson 2018, arXiv 1808.06226), as Llama's first models use it:
// spaces become U+2581, the first symbols are characters, and the two neighbours that together are the
// best-scored token are merged. A character without a token becomes its bytes ("<0xC3>").

#include <array>
#include <optional>

#include "model/tokenizer_bpe.hpp"
#include "model/tokenizer_merge.hpp"
#include "model/tokenizer_vocab.hpp"

namespace rung {

/// Where a text gets a space put in front, so that its first word looks like any other word.
enum class SpacePrefix : std::uint8_t {
  none,
  first_unless_space,       // at the beginning of the whole text, unless a space is there already
  every_text,               // there, and after every special token
  every_text_unless_space,  // the same, unless a space is there already
};

struct SpmVocab : Vocab {
  std::vector<float> scores;     // one per token; the highest merges first
  std::optional<Merges> merges;  // instead of scores: pairs, best first (tokenizer.json)
  SpacePrefix space_prefix = SpacePrefix::every_text;
};

class SpmTokenizer final : public VocabTokenizer {
 public:
  /// Throws Error with one sentence for a vocabulary that cannot be used.
  explicit SpmTokenizer(SpmVocab vocab);
  /// Without the spaces that encode() put in front; all others stay.
  std::string decode(std::span<const std::int32_t> ids) const override;
  std::string describe() const override;

 private:
  void encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                   EncodeWork& work) const override;
  void encode_word(std::string_view word, MergeScratch& scratch, std::vector<std::int32_t>& ids) const;

  std::vector<float> scores_;
  std::optional<PairTable> pairs_;
  SpacePrefix space_prefix_;
  std::array<std::int32_t, 256> byte_ids_;  // all there or all -1
  bool spaces_begin_words_ = true;  // no token has U+2581 behind another character: words merge on their own
};

}  // namespace rung
