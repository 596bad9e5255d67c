#pragma once
// Case mappings and character classes of whole strings, as Python's str methods define them. REQUIRES
// everywhere: valid UTF-8.
//
// The Greek capital sigma becomes "ς" in lower case at the end of a word, and "σ" elsewhere. lower_case,
// title_case, capitalize and swap_case follow this rule of Unicode, as Python does.

#include <cstdint>
#include <string>
#include <string_view>

namespace rung::jinja {

std::string upper_case(std::string_view text);  // str.upper()
std::string lower_case(std::string_view text);  // str.lower()
/// str.title(). A word is a run of cased letters here; the filter `title` defines words differently.
std::string title_case(std::string_view text);
std::string capitalize(std::string_view text);  // str.capitalize()
std::string swap_case(std::string_view text);   // str.swapcase()
std::string fold_case(std::string_view text);   // str.casefold()

enum class CodeClass : std::uint8_t {
  alnum,
  alpha,
  ascii,
  decimal,
  digit,
  identifier,
  lower,
  numeric,
  printable,
  space,
  title,
  upper
};
/// Whether the whole string belongs to the class, as str.isalpha() and similar methods decide.
bool all_of_class(std::string_view text, CodeClass wanted);

}  // namespace rung::jinja
