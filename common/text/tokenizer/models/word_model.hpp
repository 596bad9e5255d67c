#pragma once
// Turns one word into ids, by byte-pair encoding, unigram or WordPiece. A word is a part of the text that the
// pre-tokenizer made. Its ids depend only on its bytes.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/models/merge.hpp"
#include "text/tokenizer/split/regex.hpp"

namespace rung {

/// For unigram: the best division that ends at a place of the word.
struct PathStep {
  double score = 0;
  std::int32_t id = -1;
  std::int32_t length = -1;  // bytes of its last token; -1: no division ends here yet
};

/// Memory that is reused from word to word, one per encode() call.
struct WordScratch {
  MergeScratch merge;
  std::vector<PathStep> path;
  bool specials = true;  // false: the model produces no special tokens, even if its vocabulary has them
};

class WordModel {
 public:
  virtual ~WordModel() = default;
  /// Appends the ids of `word`, which is not empty and can contain invalid UTF-8.
  virtual void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const = 0;

  /// Whether the model encodes all words of a text in one call, as models from with_merger() do. `specials`
  /// has the meaning of WordScratch::specials.
  virtual bool encodes_all() const { return false; }
  virtual void encode_all(std::string_view text, std::span<const Span> words, bool specials,
                          std::vector<std::int32_t>& ids) const {
    WordScratch scratch;
    scratch.specials = specials;
    for (const Span word : words) encode(text.substr(word.begin, word.end - word.begin), scratch, ids);
  }
  /// Returns null if there is no merge step.
  virtual std::shared_ptr<const WordModel> with_merger(std::shared_ptr<const BpeMerger>) const {
    return nullptr;
  }
  /// True when a text may be cut in front of every U+2581 that follows something else: no token spans that.
  virtual bool spaces_begin_words() const { return false; }
  /// "byte-level BPE"
  virtual std::string name() const = 0;
};

}  // namespace rung
