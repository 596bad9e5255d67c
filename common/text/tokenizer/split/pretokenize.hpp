#pragma once
// Pre-tokenizers, which split a text into words before the model sees it, so that no token contains parts of
// two words.
//
// A pre-tokenizer is a list of steps. Each step splits the words of the previous step, and some steps also
// change the text: they add a leading space, or replace spaces by U+2581. The steps of a tokenizer.json are
// those of github.com/huggingface/tokenizers. GGUF files name a row of pre_tokenizers().

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex.hpp"
#include "text/tokenizer/split/scan.hpp"

namespace rung {

/// A pre-tokenizer that GGUF's tokenizer.ggml.pre names.
struct PreTokenizerRow {
  std::string_view name;
  std::vector<std::string_view> patterns;
  bool add_bos = false;        // texts begin with BOS if the file does not say otherwise
  bool ignore_merges = false;  // a word that is a token becomes this token, regardless of merges
};
std::span<const PreTokenizerRow> pre_tokenizers();
/// Returns the row with this name. Throws Error, which lists the known names, for an unknown name.
const PreTokenizerRow& find_pre_tokenizer(const std::string& source, std::string_view name);

/// A text and the words into which it is split so far.
struct Words {
  std::string_view text;    // the text to which the spans refer
  std::string buffer;       // contains the text after a step has changed it
  std::vector<Span> spans;  // in order, none empty; the text between them was removed
  bool first = false;       // whether the text is at the very beginning of the encoded text
  bool continued = false;   // whether it continues after bytes that are not text, so no space is added
  std::vector<Span> scratch;

  std::string_view word(Span span) const { return text.substr(span.begin, span.end - span.begin); }
};

using PreTokenizerStep = std::function<void(Words&)>;

/// The treatment of the places that a step finds.
enum class SplitBehavior : std::uint8_t {
  removed,               // they are removed
  isolated,              // each is a word
  merged_with_previous,  // each belongs to the word before it
  merged_with_next,
  contiguous,  // adjacent places together are a word
};

namespace pre_tokenizer {

/// Splits at the matches of a pattern or, if `invert` is true, at the text between them.
PreTokenizerStep split(const std::string& source, const std::string& pattern, SplitBehavior behavior,
                       bool invert);
/// Splits at every character for which `is` returns true.
PreTokenizerStep split_at(bool (*is)(char32_t), SplitBehavior behavior);
/// Makes words of runs of `\w`, and of runs of other characters except white space, which is removed.
PreTokenizerStep words_and_punctuation();
/// BERT's steps (Devlin et al. 2018): white space is removed, and every punctuation character is a word.
std::vector<PreTokenizerStep> bert();
/// Adds a space before a word that does not begin with one.
PreTokenizerStep prefix_space();
/// Replaces every byte by its visible character (GPT-2).
PreTokenizerStep visible_bytes();
/// Says when `replacement`, which replaces spaces, is added before a word that does not begin with it: never,
/// at the very beginning, always, or even before a word that begins with it.
enum class Prepend : std::uint8_t { never, first, always, even_before_space };
PreTokenizerStep metaspace(std::string replacement, Prepend prepend, bool split);

}  // namespace pre_tokenizer

class PreTokenizer {
 public:
  PreTokenizer() = default;  // the text is one word
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}
  /// Uses patterns, each of which splits the words of the previous one. All text is kept.
  PreTokenizer(const std::string& source, const std::vector<std::string>& patterns);

  /// Splits `text`. REQUIRES: valid UTF-8. `words` contains views of `text`. Throws Error if a pattern
  /// exceeds its limits of memory or steps for this text.
  void run(std::string_view text, bool first, Words& words) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace rung
