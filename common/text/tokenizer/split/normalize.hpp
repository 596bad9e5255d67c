#pragma once
// Normalizers, which change a text before it is split into words. The steps of a tokenizer.json are those of
// github.com/huggingface/tokenizers (tokenizers/src/normalizers). SentencePiece has its own.

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
  /// In: the text continues after bytes that are not UTF-8, so nothing is added before it
  bool continued = false;
  bool removed_front = false;  // out: the text has lost its first character
};

/// Returns the changed text. REQUIRES: valid UTF-8.
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
/// Removes combining marks.
NormalizerStep strip_accents();
/// Removes white space at the ends.
NormalizerStep strip(bool left, bool right);
NormalizerStep replace_text(std::string from, std::string to);
NormalizerStep replace_pattern(const std::string& source, const std::string& pattern, std::string to);
NormalizerStep prepend(std::string text);
/// Applies SentencePiece's first rules: removes control characters, and replaces characters that look like
/// spaces by spaces.
NormalizerStep nmt();
/// Replaces every byte by its visible character (GPT-2).
NormalizerStep visible_bytes();

struct BertRules {
  bool clean_text = true;
  bool space_around_cjk = true;
  std::optional<bool> strip_accents;  // not set: the same as lowercase
  bool lowercase = true;
};
/// BERT's normalizer (Devlin et al. 2018, tokenization.py).
NormalizerStep bert(BertRules rules);

/// Applies a charsmap as `tokenizers` does: to whole grapheme clusters of up to five bytes, and otherwise to
/// characters.
NormalizerStep precompiled(Charsmap map);

struct SentencePieceRules {
  Charsmap map;
  bool space_in_front = true;       // add_dummy_prefix
  bool space_behind = false;        // the same at the end (treat_whitespace_as_suffix)
  bool remove_extra_spaces = true;  // at the ends, and all except one in between
  bool visible_spaces = true;       // spaces as U+2581
  std::vector<std::string> kept;    // texts that are not changed: user-defined tokens
};
/// SentencePiece's whole normalizer (Kudo, Richardson 2018), which applies the longest sequence of the
/// charsmap.
NormalizerStep sentence_piece(SentencePieceRules rules);

}  // namespace normalizer
}  // namespace rung
