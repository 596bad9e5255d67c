// SentencePiece-style BPE.

#include "model/tokenizer_spm.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "model/tokenizer_utf8.hpp"

namespace rung {

void check_unknown(const Vocab& vocab) {
  const auto bytes = std::count(vocab.types.begin(), vocab.types.end(), TokenType::byte);
  if (bytes != 0 && bytes != 256) {
    fail("{}: the vocabulary has tokens for {} of the 256 bytes; it needs all of them or none", vocab.source,
         bytes);
  }
  if (bytes == 0 && vocab.unknown < 0) {
    fail("{}: the vocabulary has neither byte tokens (<0x00> to <0xFF>) nor an unknown token", vocab.source);
  }
}

PreTokenizerStep spm_spaces(SpacePrefix prefix) {
  using pre_tokenizer::Prepend;
  Prepend prepend = Prepend::never;
  if (prefix == SpacePrefix::first_unless_space) prepend = Prepend::first;
  if (prefix == SpacePrefix::every_text) prepend = Prepend::even_before_space;
  if (prefix == SpacePrefix::every_text_unless_space) prepend = Prepend::always;
  return pre_tokenizer::metaspace(std::string(kVisibleSpace), prepend, false);
}

SpmTokenizer::SpmTokenizer(SpmVocab vocab)
    : TextTokenizer(vocab, [&](const Vocab& checked) {
        check_unknown(checked);
        BpeOptions options;
        options.fuse_unknown = true;
        TextParts parts;
        parts.model = vocab.merges ? std::make_shared<BpeModel>(checked, *vocab.merges, options)
                                   : std::make_shared<BpeModel>(checked, vocab.scores, options);
        parts.pre_tokenizer = PreTokenizer({spm_spaces(vocab.space_prefix)});
        parts.pieces = PieceStyle::visible_space;
        parts.space_prefix = vocab.space_prefix;
        return parts;
      }) {}

}  // namespace rung
