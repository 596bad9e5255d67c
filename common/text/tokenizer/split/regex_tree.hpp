#pragma once
// The syntax tree of an Oniguruma pattern, and its translation into PCRE2's syntax.
//
// Patterns in model files were written for Oniguruma 6.9 with its default syntax, with which Hugging Face's
// `tokenizers` compiles them (doc/RE in github.com/kkos/oniguruma). Many constructs look the same in PCRE2
// but have another meaning: in Oniguruma, a{1,3}+ repeats the interval, [[:punct:]] and \h are different
// sets, and (?m) changes the dot. The parser knows every construct of Oniguruma's syntax. It either
// translates a construct or rejects the pattern with a message that names the construct, so no pattern
// silently changes its meaning.

#include <climits>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rung::regex {

/// A pattern and the file that contains it, for error messages.
struct Origin {
  std::string_view source, pattern;

  /// Throws Error: the pattern contains `what`, which is not supported.
  [[noreturn]] void refuse(std::string_view what) const;
  /// Throws Error: the pattern is not a regular expression, because of `what`.
  [[noreturn]] void invalid(std::string_view what) const;
};

inline constexpr unsigned kUnlimited = UINT_MAX;

/// One construct of a pattern.
struct Node {
  enum class Kind : std::uint8_t {
    empty,         // matches nothing, everywhere
    character,     // matches the empty text at every position
    text,          // a set of characters or a position, as PCRE2 writes it
    sequence,      // its parts, one after the other
    alternatives,  // the first of its parts that matches
    repeat,        // its part, `least` to `most` times
    atomic,        // its part, without backtracking into it
    group,         // its part, which does not combine with its neighbors
    capture,       // a group, to whose match a reference can refer
    look,          // a lookahead or lookbehind
    backreference,
    call,  // \g<name>: the contents of another capture
  };
  Kind kind = Kind::empty;
  bool ignore_case = false;      // character: also matches characters with the same case folding
  bool lazy = false;             // repeat: as few times as possible
  char32_t code = 0;             // character
  unsigned least = 0, most = 0;  // text: number of characters that it matches; repeat: number of times
  int number = 0;                // capture, backreference, call: the number of the capture, from 1
  std::string text = {};         // text; look: its opening, "?<="; backreference, call: the name
  std::vector<Node> parts = {};
};

/// The syntax tree of a pattern.
struct Tree {
  Node root;
  bool has_backreferences = false;
};

/// Parses a pattern. Throws Error if it cannot be translated or if Oniguruma would not compile it.
Tree read_pattern(const Origin& origin);

/// Throws Error for a pattern that PCRE2 would match differently than Oniguruma in every translation.
void check_pattern(const Origin& origin, const Tree& tree);

/// Writes the tree as a pattern for PCRE2. The pattern REQUIRES the options UTF, UCP, MULTILINE and DOTALL,
/// and line feeds as the only line ends. Throws Error if PCRE2 has no construct with the same meaning.
std::string write_pattern(const Origin& origin, const Tree& tree);

/// Whether PCRE2's optimizations of the search for the beginning of a match are correct for this pattern
/// (regex_early_fail.cpp).
bool early_fail_is_right(const Tree& tree);

}  // namespace rung::regex
