#pragma once
// Normalizers: change a text before it is cut into words. The steps of a tokenizer.json are those of
// github.com/huggingface/tokenizers (tokenizers/src/normalizers); SentencePiece has one of its own.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/special.hpp"
#include "text/tokenizer/split/charsmap.hpp"
#include "text/unicode.hpp"

namespace rung {

struct NormalizerState {
  bool continued = false;      // in: the text goes on behind bytes that are no UTF-8; nothing is put in front
  bool removed_front = false;  // out: the text has lost its first character
};

/// The changed text. REQUIRES: valid UTF-8.
using NormalizerStep = std::function<std::string(std::string_view text, NormalizerState& state)>;

class Normalizer {
 public:
  void add(NormalizerStep step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  std::string apply(std::string_view text, NormalizerState& state) const;

 private:
  std::vector<NormalizerStep> steps_;
};

namespace normalizer {

NormalizerStep form(unicode::Form form);
NormalizerStep lowercase();
/// Drops marks.
NormalizerStep strip_accents();
/// Drops white space at the ends.
NormalizerStep strip(bool left, bool right);
NormalizerStep replace_text(std::string from, std::string to);
NormalizerStep replace_pattern(const std::string& source, const std::string& pattern, std::string to);
NormalizerStep prepend(std::string text);
/// SentencePiece's first rules: drops controls, and makes spaces of what looks like them.
NormalizerStep nmt();
/// Every byte as its visible character (GPT-2).
NormalizerStep visible_bytes();

struct BertRules {
  bool clean_text = true;
  bool space_around_cjk = true;
  std::optional<bool> strip_accents;  // unset: where lowercase is set
  bool lowercase = true;
};
/// BERT's (Devlin et al. 2018, tokenization.py).
NormalizerStep bert(BertRules rules);

/// A charsmap as `tokenizers` applies it: to whole grapheme clusters of up to five bytes, else to characters.
NormalizerStep precompiled(Charsmap map);

struct SentencePieceRules {
  Charsmap map;
  bool space_in_front = true;       // add_dummy_prefix
  bool space_behind = false;        // the same at the end (treat_whitespace_as_suffix)
  bool remove_extra_spaces = true;  // at the ends, and all but one in between
  bool visible_spaces = true;       // spaces as U+2581
  std::vector<std::string> kept;    // texts that stay as they are: tokens that a user defined
};
/// SentencePiece's whole normalizer (Kudo, Richardson 2018), the longest sequence of the charsmap first.
NormalizerStep sentence_piece(SentencePieceRules rules);

}  // namespace normalizer
}  // namespace rung
