#pragma once
// Regular expressions of pre-tokenizers and normalizers, run by PCRE2 with its compiler (JIT).
//
// The patterns that models publish were written for Oniguruma (Ruby's dialect). Where the two differ the
// pattern is rewritten: \s and \w are spelled out as Unicode defines them, ^ and $ match at lines, a set
// inside a set is its union. What would need another engine (intersections of sets) is refused.

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
  /// Throws Error naming a pattern that does not compile; `source` is the file it stands in.
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
    /// Calls found(begin, end) for every match in `text`, which may be empty ones. REQUIRES: valid UTF-8.
    /// Throws Error when the pattern needs more memory or steps than PCRE2 is given for this text.
    template <class Found>
    void run(std::string_view text, Found&& found) {
      std::size_t begin = 0, end = 0;
      for (std::size_t from = 0, done = 0; from <= text.size() && next(text, from, done, begin, end);) {
        found(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
        done = end;
        from = begin == end ? after(text, end) : end;
      }
    }

   private:
    bool next(std::string_view text, std::size_t from, std::size_t done, std::size_t& begin,
              std::size_t& end);
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
