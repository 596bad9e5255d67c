#pragma once
// What turns one word into ids: byte-pair encoding, unigram, WordPiece. A word is what the pre-tokenizer
// left; the ids of a word depend on nothing but its bytes.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/models/merge.hpp"
#include "text/tokenizer/split/regex.hpp"

namespace rung {

/// Unigram: the best way that ends at a place of the word.
struct PathStep {
  double score = 0;
  std::int32_t id = -1;
  std::int32_t length = -1;  // bytes of its last token; -1: no way ends here yet
};

/// Memory that is kept from one word to the next. One per encode() call.
struct WordScratch {
  MergeScratch merge;
  std::vector<PathStep> path;
  bool specials = true;  // false: the model makes no special tokens, though its vocabulary has them
};

class WordModel {
 public:
  virtual ~WordModel() = default;
  /// Appends the ids of `word`, which is not empty and may hold bytes that are no valid UTF-8.
  virtual void encode(std::string_view word, WordScratch& scratch, std::vector<std::int32_t>& ids) const = 0;

  /// The same for all words of a text at once; what with_merger() gives is asked this way. `specials`: as in
  /// WordScratch.
  virtual bool encodes_all() const { return false; }
  virtual void encode_all(std::string_view text, std::span<const Span> words, bool specials,
                          std::vector<std::int32_t>& ids) const {
    WordScratch scratch;
    scratch.specials = specials;
    for (const Span word : words) encode(text.substr(word.begin, word.end - word.begin), scratch, ids);
  }
  /// Null where there is no merge step.
  virtual std::shared_ptr<const WordModel> with_merger(std::shared_ptr<const BpeMerger>) const {
    return nullptr;
  }
  /// True when a text may be cut in front of every U+2581 that follows something else: no token spans that.
  virtual bool spaces_begin_words() const { return false; }
  /// "byte-level BPE"
  virtual std::string name() const = 0;
};

}  // namespace rung
