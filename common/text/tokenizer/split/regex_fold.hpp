#pragma once
// Characters that differ only in case. Under (?i), Oniguruma treats characters as equal if they have the same
// full case folding, which can have several characters (U+00DF and "ss").

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex_set.hpp"

namespace rung::regex {

/// Returns a pattern that matches the characters under (?i). If `one_each` is true, every character matches
/// exactly one character, as lookbehinds require. Otherwise U+00DF also matches "ss" and vice versa.
std::string any_case(std::u32string_view characters, bool one_each);

/// Adds the characters that differ only in case from a character of the set. Returns patterns for the
/// sequences of two or three characters whose case folding is that of a character of the set.
std::vector<std::string> fold_case(CharacterSet& set);

}  // namespace rung::regex
