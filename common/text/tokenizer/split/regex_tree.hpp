#pragma once
// A pattern of Oniguruma, read into a tree, and that tree written in PCRE2's language.
//
// Patterns in model files were written for Oniguruma 6.9 with its default syntax, the one that Hugging Face's
// `tokenizers` compiles them with (doc/RE in github.com/kkos/oniguruma). Many constructs have the same
// spelling but another meaning in PCRE2: a{1,3}+ repeats the interval there, [[:punct:]] and \h are other
// sets, (?m) is about the dot. The reader knows every construct of that syntax. It either translates a
// construct or refuses the pattern with a sentence that names it, so that no pattern changes its meaning in
// silence.

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::regex {

/// The pattern and the file that it stands in, for the sentences about them.
struct Origin {
  std::string_view source, pattern;

  /// Throws Error: the pattern has `what`, which is not supported.
  [[noreturn]] void refuse(std::string_view what) const;
  /// Throws Error: the pattern is no regular expression, because of `what`.
  [[noreturn]] void invalid(std::string_view what) const;
};

inline constexpr unsigned kUnlimited = UINT_MAX;

/// One construct of a pattern.
struct Node {
  enum class Kind : std::uint8_t {
    empty,         // matches nothing, everywhere
    character,     // one literal character
    text,          // a set of characters or a position, as PCRE2 writes it
    sequence,      // its parts, one after the other
    alternatives,  // the first of its parts that fits
    repeat,        // its part, `least` to `most` times
    atomic,        // its part, which is not tried again
    group,         // its part; neighbors outside do not combine with it
    capture,       // the same, and what it matched can be referred to
    look,          // a lookahead or lookbehind
    backreference,
    call,  // \g<name>: the part of a capture, here
  };
  Kind kind = Kind::empty;
  bool ignore_case = false;      // character: whatever has the same case folding matches too
  bool lazy = false;             // repeat: as few as possible
  char32_t code = 0;             // character
  unsigned least = 0, most = 0;  // text: how many characters it matches; repeat: how often
  int number = 0;                // capture, backreference, call: the number of the capture, from 1
  std::string text = {};         // text; look: how it opens, "?<="; backreference, call: the name
  std::vector<Node> parts = {};
};

/// A pattern as a tree.
struct Tree {
  Node root;
  bool has_backreferences = false;
};

/// Reads a pattern. Throws Error for what cannot be translated and for what Oniguruma would not compile.
Tree read_pattern(const Origin& origin);

/// Throws Error for a pattern that PCRE2 would match in another way than Oniguruma, however it is written.
void check_pattern(const Origin& origin, const Tree& tree);

/// The tree as a pattern for PCRE2. It REQUIRES the options UTF, UCP, MULTILINE and DOTALL, and line feeds as
/// the only line ends. Throws Error where PCRE2 has nothing of the same meaning.
std::string write_pattern(const Origin& origin, const Tree& tree);

/// Whether PCRE2 may use its optimizations for the search of a match's beginning
/// (regex_early_fail.cpp).
bool early_fail_is_right(const Tree& tree);

}  // namespace rung::regex
