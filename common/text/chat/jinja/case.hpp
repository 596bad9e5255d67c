#pragma once
// Python's str methods for the case and the classes of whole texts. REQUIRES everywhere: valid UTF-8.
//
// A Greek capital sigma that ends a word becomes "ς" in lower case, elsewhere "σ"; lower_case, title_case,
// capitalize and swap_case follow that rule of Unicode as Python does.

#include <cstdint>
#include <string>
#include <string_view>

namespace rung::jinja {

std::string upper_case(std::string_view text);  // str.upper()
std::string lower_case(std::string_view text);  // str.lower()
/// str.title(): a word is a run of letters that have a case. The filter `title` has another idea of a word.
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
/// str.isalpha() and the other methods of that kind.
bool all_of_class(std::string_view text, CodeClass wanted);

}  // namespace rung::jinja
