#pragma once
// Properties of code points as Python's str methods define them: case, class and digit value.
//
// The results come from utf8proc and a few small tables, and never depend on the locale. Characters that are
// newer than the installed utf8proc (Unicode 15 in Debian 12) have no case and no class, and are not
// printable.

#include <cstdint>
#include <string>

namespace rung::jinja {

bool is_letter(std::uint32_t code);   // str.isalpha()
bool is_decimal(std::uint32_t code);  // str.isdecimal()
bool is_digit(std::uint32_t code);    // str.isdigit(): includes superscripts and circled digits
bool is_numeric(std::uint32_t code);  // str.isnumeric(): includes fractions and numeric ideographs
bool is_space(std::uint32_t code);    // str.isspace()
bool is_word(std::uint32_t code);     // `\w` of Python's module re
bool is_printable(std::uint32_t code);
bool starts_identifier(std::uint32_t code);
bool continues_identifier(std::uint32_t code);

bool is_lower(std::uint32_t code);
bool is_upper(std::uint32_t code);
bool is_title(std::uint32_t code);  // "ǅ", which is neither upper nor lower case
bool is_cased(std::uint32_t code);  // upper, lower or title case
/// Whether the rule for the final sigma skips this character, for example marks, apostrophes and periods.
bool is_case_ignorable(std::uint32_t code);

/// Returns 0 to 9 for a decimal digit of any script, and -1 for every other character.
int decimal_value(std::uint32_t code);

// Append the full case mapping, which can have more than one code point ("ß" becomes "SS").
void append_upper(std::string& out, std::uint32_t code);
void append_title(std::string& out, std::uint32_t code);
void append_lower(std::string& out, std::uint32_t code);  // ignores the rule for the final sigma
void append_folded(std::string& out, std::uint32_t code);

}  // namespace rung::jinja
