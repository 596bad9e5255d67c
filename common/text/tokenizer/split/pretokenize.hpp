#pragma once
// Pre-tokenizers: cut a text into words before the model proper sees it, so that no token spans two words.
//
// A pre-tokenizer is a list of steps. Each cuts the words that the one before it left; some also change the
// text (a space in front, spaces as U+2581). The steps of a tokenizer.json are those of
// github.com/huggingface/tokenizers; GGUF files name a row of pre_tokenizers().

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex.hpp"
#include "text/tokenizer/split/scan.hpp"

namespace rung {

/// What GGUF's tokenizer.ggml.pre names.
struct PreTokenizerRow {
  std::string_view name;
  std::vector<std::string_view> patterns;
  bool add_bos = false;        // texts begin with BOS where the file does not say
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
};
std::span<const PreTokenizerRow> pre_tokenizers();
/// The row of that name; throws Error listing the known ones.
const PreTokenizerRow& find_pre_tokenizer(const std::string& source, std::string_view name);

/// A text and the words it was cut into so far.
struct Words {
  std::string_view text;    // what the spans are of
  std::string buffer;       // holds the text once a step has changed it
  std::vector<Span> spans;  // in order, none empty; what lies between them has been removed
  bool first = false;       // whether the text stands at the very beginning of what is encoded
  bool continued = false;   // whether it goes on behind bytes that are no text: no space in front
  std::vector<Span> scratch;

  std::string_view word(Span span) const { return text.substr(span.begin, span.end - span.begin); }
};

using PreTokenizerStep = std::function<void(Words&)>;

/// What becomes of the places that a step finds.
enum class SplitBehavior : std::uint8_t {
  removed,               // they go
  isolated,              // each is a word
  merged_with_previous,  // each belongs to the word in front of it
  merged_with_next,
  contiguous,  // neighbours together are a word
};

namespace pre_tokenizer {

/// Cuts at the matches of a pattern; `invert`: at what lies between them.
PreTokenizerStep split(const std::string& source, const std::string& pattern, SplitBehavior behavior,
                       bool invert);
/// Cuts at every character that fulfils `is`.
PreTokenizerStep split_at(bool (*is)(char32_t), SplitBehavior behavior);
/// Runs of `\w`, and runs of what is neither that nor white space, which goes.
PreTokenizerStep words_and_punctuation();
/// BERT's (Devlin et al. 2018): white space goes, every punctuation character is a word.
std::vector<PreTokenizerStep> bert();
/// Where a word does not begin with a space, one is put there.
PreTokenizerStep prefix_space();
/// Every byte as its visible character (GPT-2).
PreTokenizerStep visible_bytes();
/// Spaces as `replacement`; a word that begins with none gets one: never, at the beginning of everything,
/// always; or even a word that does begin with one.
enum class Prepend : std::uint8_t { never, first, always, even_before_space };
PreTokenizerStep metaspace(std::string replacement, Prepend prepend, bool split);

}  // namespace pre_tokenizer

class PreTokenizer {
 public:
  PreTokenizer() = default;  // the text is one word
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}
  /// Patterns, each of which cuts what the one before it left; all text stays.
  PreTokenizer(const std::string& source, const std::vector<std::string>& patterns);

  /// Cuts `text`. REQUIRES: valid UTF-8. `words` holds views of `text`.
  /// Throws Error when a pattern needs more memory or steps than it is given for this text.
  void run(std::string_view text, bool first, Words& words) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace rung
