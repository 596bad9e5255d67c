#pragma once
// A tokenizer as a pipeline: normalizer, pre-tokenizer, the model of a word, and how ids become text again.
// All kinds of tokenizers are this class with other parts.

#include <functional>

#include "model/tokenizer_normalize.hpp"
#include "model/tokenizer_pretokenize.hpp"
#include "model/tokenizer_vocab.hpp"
#include "model/tokenizer_word_model.hpp"

namespace rung {

/// What a token's text says of the text it stands for.
enum class PieceStyle : std::uint8_t {
  plain,          // itself
  spaced,         // itself, with a space between it and the one in front
  visible_bytes,  // one visible character per byte (byte-level)
  visible_space,  // U+2581 is a space
  word_piece,     // a token that does not continue a word has a space in front
  word_suffix,    // "</w>" is the space behind a word
};

/// Where a text was given a space in front, which decode() takes away again.
enum class SpacePrefix : std::uint8_t {
  none,
  first_unless_space,       // at the beginning of the whole text, unless a space is there already
  every_text,               // there, and after every special or user-defined token
  after_controls,           // there, and after every special token
  every_text_unless_space,  // the same, unless a space is there already
};

struct TextParts {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::shared_ptr<const WordModel> model;
  PieceStyle pieces = PieceStyle::plain;
  std::string affix;      // word_piece: of continuations ("##"); word_suffix: "</w>"
  bool clean_up = false;  // word_piece: no space in front of punctuation
  SpacePrefix space_prefix = SpacePrefix::none;
};

class TextTokenizer : public VocabTokenizer {
 public:
  /// make(vocab) is called with a vocabulary that has been checked.
  TextTokenizer(Vocab vocab, const std::function<TextParts(const Vocab&)>& make);
  /// Without the spaces that encode() put in front; all others stay.
  std::string decode(std::span<const std::int32_t> ids) const override;
  std::string describe() const override;
  std::shared_ptr<const Tokenizer> with_merger(std::shared_ptr<const BpeMerger> merger) const override;

 private:
  std::string_view normalized(std::string_view text, std::string& buffer, bool& removed_front) const override;
  void encode_text(std::string_view text, bool first, std::vector<std::int32_t>& ids,
                   EncodeWork& work) const override;
  void encode_words(const Words& words, WordScratch& scratch, std::vector<std::int32_t>& ids,
                    EncodeWork& work) const;
  std::string piece_of(std::int32_t id) const;

  TextParts parts_;
};

}  // namespace rung
