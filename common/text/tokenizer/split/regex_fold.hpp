#pragma once
// What differs by case only, as Oniguruma sees it under (?i): characters with the same full case folding,
// which may be several characters (U+00DF and "ss").

#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/split/regex_set.hpp"

namespace rung::regex {

/// A pattern that matches the characters under (?i). With `one_each`, every character matches one character,
/// as in a lookbehind; without it, U+00DF matches "ss" and the other way around.
std::string any_case(std::u32string_view characters, bool one_each);

/// Adds the characters that differ from one of the set by case only. Returns patterns for the sequences of
/// two or three characters whose case folding is that of one character of the set.
std::vector<std::string> fold_case(CharacterSet& set);

}  // namespace rung::regex
