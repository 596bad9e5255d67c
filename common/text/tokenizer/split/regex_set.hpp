#pragma once
// Sets of characters in PCRE2's syntax: the named sets of Oniguruma, and unions, intersections and
// complements.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung::regex {

/// A set of characters: the contents of a PCRE2 class, and patterns that each match one character.
struct CharacterSet {
  std::string listed = {};               // "a-z\p{N}", the contents of a class
  std::vector<std::string> others = {};  // "[^\p{L}]": a class cannot contain another class
};

/// Returns a pattern that matches one character of the set. For the empty set, the pattern never matches.
std::string one_of(const CharacterSet& set);
CharacterSet complement(const CharacterSet& set);
CharacterSet intersection(const CharacterSet& a, const CharacterSet& b);
void unite(CharacterSet& set, const CharacterSet& more);
/// Adds a range of characters.
void add_range(CharacterSet& set, char32_t first, char32_t last);

/// Returns the character as PCRE2 writes it inside and outside of a class.
std::string literal(char32_t code);

/// Which of the sets below contain only ASCII characters, as set by the options (?W), (?D), (?S) and (?P).
struct AsciiOnly {
  bool word = false, digit = false, space = false, posix = false;
};

/// Returns `[[:name:]]`, or nothing for an unknown name.
std::optional<CharacterSet> posix_set(std::string_view name, const AsciiOnly& ascii);
/// Returns `\p{name}`, inside or outside of brackets. Returns nothing for an unknown name, and for properties
/// whose characters PCRE2 does not know.
std::optional<CharacterSet> property_set(std::string_view name, const AsciiOnly& ascii, bool in_brackets);
/// Returns `\w` outside of brackets. There, Oniguruma also includes the superscripts and fractions of
/// Latin-1.
CharacterSet word_set(const AsciiOnly& ascii);

}  // namespace rung::regex
