#pragma once
// Code points as Python's str methods see them: their cases, classes and digits.
//
// The answers come from utf8proc and from a few small tables, never from the locale. Characters that are
// newer than the machine's utf8proc (Unicode 15 in Debian 12) have no case, no class and are not printable.

#include <cstdint>
#include <string>

namespace rung::jinja {

bool is_letter(std::uint32_t code);   // str.isalpha()
bool is_decimal(std::uint32_t code);  // str.isdecimal()
bool is_digit(std::uint32_t code);    // str.isdigit(): also superscripts and digits in circles
bool is_numeric(std::uint32_t code);  // str.isnumeric(): also fractions and ideographs that are numbers
bool is_space(std::uint32_t code);    // str.isspace()
bool is_word(std::uint32_t code);     // `\w` of Python's module re
bool is_printable(std::uint32_t code);
bool starts_identifier(std::uint32_t code);
bool continues_identifier(std::uint32_t code);

bool is_lower(std::uint32_t code);
bool is_upper(std::uint32_t code);
bool is_title(std::uint32_t code);  // "ǅ", which is neither upper nor lower case
bool is_cased(std::uint32_t code);  // one of the three
/// Whether the rule for the final sigma looks past this character: marks, apostrophes, points.
bool is_case_ignorable(std::uint32_t code);

/// 0 to 9 for a decimal digit of any script; -1 for every other character.
int decimal_value(std::uint32_t code);

// Append the full mapping, which may have more than one code point ("ß" becomes "SS").
void append_upper(std::string& out, std::uint32_t code);
void append_title(std::string& out, std::uint32_t code);
void append_lower(std::string& out, std::uint32_t code);  // knows nothing of the final sigma
void append_folded(std::string& out, std::uint32_t code);

}  // namespace rung::jinja
