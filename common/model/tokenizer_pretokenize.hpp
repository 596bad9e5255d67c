#pragma once
// Splits text into words before byte-pair encoding, with the regular expressions that models publish.
//
// A pre-tokenizer is data: a list of patterns, each of which splits what the one before it left (what a
// pattern does not match becomes a piece too). kPreTokenizers has the ones that GGUF files name; the
// patterns of a tokenizer.json are taken from there. They run in PCRE2 with its compiler (JIT).

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// GPT-2's own pattern (Radford et al. 2019, encoder.py), which most others vary.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// What GGUF's tokenizer.ggml.pre names.
struct PreTokenizerRow {
  std::string_view name;
  std::vector<std::string> patterns;
  bool add_bos = false;        // texts begin with BOS where the file does not say
  bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
};
std::span<const PreTokenizerRow> pre_tokenizers();
/// The row of that name; throws Error listing the known ones.
const PreTokenizerRow& find_pre_tokenizer(const std::string& source, std::string_view name);

class PreTokenizer {
 public:
  /// Throws Error naming a pattern that does not compile. No patterns: the text is one word.
  PreTokenizer(const std::string& source, std::vector<std::string> patterns);
  ~PreTokenizer();
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;

  /// Calls word(piece) for every piece, in order; together they are `text`. REQUIRES: text is valid UTF-8.
  /// Throws Error when a pattern needs more memory or steps than PCRE2 is given for this text.
  void split(std::string_view text, const std::function<void(std::string_view)>& word) const;

  const std::vector<std::string>& patterns() const { return patterns_; }

 private:
  struct Matcher;
  void split_level(Matcher& matcher, std::size_t level, std::string_view text,
                   const std::function<void(std::string_view)>& word) const;

  std::string source_;
  std::vector<std::string> patterns_;
  struct Compiled;
  std::vector<std::unique_ptr<Compiled>> compiled_;
};

}  // namespace rung
