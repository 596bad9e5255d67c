#pragma once
// Regular expressions of pre-tokenizers and normalizers, run by PCRE2 with its compiler (JIT).
//
// The patterns that models publish were written for Oniguruma, which Hugging Face's `tokenizers` runs. A
// pattern is read by Oniguruma's grammar and written anew in PCRE2's (regex_tree.hpp). What PCRE2
// has no equal of is refused.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rung {

/// Bytes begin (inclusive) to end of a text.
struct Span {
  std::uint32_t begin = 0, end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

class Regex {
 public:
  /// Throws Error with the pattern and the construct in it that is not supported or is no regular expression;
  /// `source` is the file that the pattern stands in.
  Regex(std::string source, std::string pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  /// The matches in a text, one after the other. Keeps what PCRE2 needs for one match; not thread-safe,
  /// while any number of searches may use one Regex.
  class Search {
   public:
    Search(const Regex& regex, std::size_t longest_text);
    ~Search();
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    /// Calls found(begin, end) for every match in `text`, as the iterator of Rust's `onig` does: an empty
    /// match counts unless the match before it ends there, and an empty text has no match. REQUIRES: valid
    /// UTF-8. Throws Error when the pattern needs more memory or steps than PCRE2 is given for this text.
    template <class Found>
    void run(std::string_view text, Found&& found) {
      if (text.empty()) return;
      constexpr std::size_t kNone = static_cast<std::size_t>(-1);
      std::size_t begin = 0, end = 0;
      for (std::size_t from = 0, done = kNone; from <= text.size() && next(text, from, begin, end);) {
        if (begin == end && end == done) {
          from = after(text, from);
          continue;
        }
        found(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
        from = done = end;
      }
    }

   private:
    bool next(std::string_view text, std::size_t from, std::size_t& begin, std::size_t& end);
    static std::size_t after(std::string_view text, std::size_t at);
    struct State;
    const Regex& regex_;
    std::unique_ptr<State> state_;
  };

  const std::string& pattern() const { return pattern_; }

 private:
  struct Compiled;
  std::string source_, pattern_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace rung
