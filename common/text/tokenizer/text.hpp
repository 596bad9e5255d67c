#pragma once
// A tokenizer as a pipeline of a normalizer, a pre-tokenizer, a model of words, and a decoder that turns ids
// into text. All kinds of tokenizers are this class with different parts.

#include <functional>

#include "text/tokenizer/decode/decode.hpp"
#include "text/tokenizer/models/word_model.hpp"
#include "text/tokenizer/split/normalize.hpp"
#include "text/tokenizer/split/pretokenize.hpp"
#include "text/tokenizer/vocab.hpp"

namespace rung {

struct TextParts {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::shared_ptr<const WordModel> model;
  std::shared_ptr<const TokenDecoder> decoder;
};

class TextTokenizer : public VocabTokenizer {
 public:
  /// Calls make(vocab) with the checked vocabulary.
  TextTokenizer(Vocab vocab, const std::function<TextParts(const Vocab&)>& make);
  /// These functions throw Error for an id outside the vocabulary.
  std::string piece(std::int32_t id) const override;
  std::string decode(std::span<const std::int32_t> ids) const override;
  void decode_next(DecodeProgress& progress, std::int32_t id, std::string& text) const override;
  void decode_finish(DecodeProgress& progress, std::string& text) const override;
  std::string describe() const override;
  std::shared_ptr<const Tokenizer> with_merger(std::shared_ptr<const BpeMerger> merger) const override;

 private:
  std::string_view normalized(std::string_view text, std::string& buffer, bool& removed_front) const override;
  void encode_text(std::string_view text, bool first, bool specials, std::vector<std::int32_t>& ids,
                   EncodeWork& work) const override;
  void encode_words(const Words& words, WordScratch& scratch, std::vector<std::int32_t>& ids,
                    EncodeWork& work) const;

  TextParts parts_;
};

}  // namespace rung
