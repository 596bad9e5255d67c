// SentencePiece-style BPE.

#include "text/tokenizer/models/spm.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "text/utf8.hpp"

namespace rung {

void check_unknown(const Vocab& vocab) {
  const auto bytes = std::count(vocab.types.begin(), vocab.types.end(), TokenType::byte);
  if (bytes < 256 && vocab.unknown < 0) {
    fail(
        "{}: the vocabulary has neither byte tokens for every byte (<0x00> to <0xFF>, of which it has {}) "
        "nor an unknown token",
        vocab.source, bytes);
  }
}

PreTokenizerStep spm_spaces(SpacePrefix prefix) {
  using pre_tokenizer::Prepend;
  Prepend prepend = Prepend::never;
  if (prefix == SpacePrefix::every_text) prepend = Prepend::even_before_space;
  return pre_tokenizer::metaspace(std::string(kVisibleSpace), prepend, false);
}

SpmTokenizer::SpmTokenizer(SpmVocab vocab)
    : TextTokenizer(vocab, [&](const Vocab& checked) {
        check_unknown(checked);
        BpeOptions options;
        options.fuse_unknown = options.byte_fallback = true;
        TextParts parts;
        parts.model = vocab.merges ? std::make_shared<BpeModel>(checked, *vocab.merges, options)
                                   : std::make_shared<BpeModel>(checked, vocab.scores, options);
        parts.pre_tokenizer = PreTokenizer({spm_spaces(vocab.space_prefix)});
        parts.decoder = piece_decoder(checked, PieceStyle::visible_space, vocab.space_prefix);
        return parts;
      }) {}

}  // namespace rung
