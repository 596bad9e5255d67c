#pragma once
// Sets of characters in PCRE2's language: the ones that Oniguruma names, and their unions, intersections and
// complements.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rung::regex {

/// A set of characters: what a PCRE2 class would list, and patterns that match one character each.
struct CharacterSet {
  std::string listed = {};               // "a-z\p{N}", to stand between brackets
  std::vector<std::string> others = {};  // "[^\p{L}]": a class cannot hold another class
};

/// A pattern that matches one character of the set. The empty set has one too, which never matches.
std::string one_of(const CharacterSet& set);
CharacterSet complement(const CharacterSet& set);
CharacterSet intersection(const CharacterSet& a, const CharacterSet& b);
void unite(CharacterSet& set, const CharacterSet& more);
/// Adds a range of characters.
void add_range(CharacterSet& set, char32_t first, char32_t last);

/// The character as PCRE2 writes it, in a class and outside.
std::string literal(char32_t code);

/// Which of the sets below hold ASCII characters only: the options (?W), (?D), (?S) and (?P).
struct AsciiOnly {
  bool word = false, digit = false, space = false, posix = false;
};

/// `[[:name:]]`; nothing for an unknown name.
std::optional<CharacterSet> posix_set(std::string_view name, const AsciiOnly& ascii);
/// `\p{name}`, inside brackets or outside. Nothing for an unknown name, and for the properties whose
/// characters PCRE2 does not know.
std::optional<CharacterSet> property_set(std::string_view name, const AsciiOnly& ascii, bool in_brackets);
/// `\w` outside of brackets. Oniguruma counts the superscripts and fractions of Latin-1 as well there.
CharacterSet word_set(const AsciiOnly& ascii);

}  // namespace rung::regex
