#pragma once
// Regular expressions of pre-tokenizers and normalizers, run by PCRE2 with its JIT compiler.
//
// The patterns that models publish were written for Oniguruma, the engine of Hugging Face's `tokenizers`. A
// pattern is parsed by Oniguruma's grammar and translated into PCRE2's syntax (regex_tree.hpp). A pattern
// with a construct that PCRE2 cannot express is rejected.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rung {

/// The bytes from `begin` (inclusive) to `end` (exclusive) of a text.
struct Span {
  std::uint32_t begin = 0, end = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

class Regex {
 public:
  /// Throws Error, which contains the pattern, if a construct is not supported or the pattern is not a
  /// regular expression. `source` is the file that contains the pattern.
  Regex(std::string source, std::string pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  /// Finds the matches in a text, one after the other. A search owns the memory that PCRE2 needs for a match.
  /// It is not thread-safe, but any number of searches can share one Regex.
  class Search {
   public:
    Search(const Regex& regex, std::size_t longest_text);
    ~Search();
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;
    /// Calls found(begin, end) for every match in `text`, in the same way as the iterator of Rust's `onig`:
    /// an empty match is skipped if the previous match ends there, and an empty text has no match. REQUIRES:
    /// valid UTF-8. Throws Error if the pattern exceeds its limits of memory or steps for this text.
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
