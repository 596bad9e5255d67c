#pragma once
// What the operator % of strings and str.format() share: numbers as text, and text made as wide as asked.

#include <cstdint>
#include <string>
#include <string_view>

#include "text/chat/jinja/run.hpp"

namespace rung::jinja {

/// Of a width or a precision in a format.
inline constexpr std::int64_t kMostFormatWidth = 100'000;

/// A number in three pieces: zeros that widen it stand between the prefix and the digits.
struct NumberText {
  std::string sign, prefix, digits;
};

struct NumberStyle {
  char type = 'd';         // whole numbers: b d o x X; others: e E f F g G
  char positive = '-';     // what stands before a number that is not negative: '+', ' ', or nothing
  bool alternate = false;  // "#": prefixes such as 0x, a point in any case
  int precision = -1;  // of others: digits behind the point, with g and G all digits; -1: as Python's default
};

NumberText whole_text(std::int64_t value, const NumberStyle& style);
NumberText real_text(double value, const NumberStyle& style);

/// The form of 'g' of a number that is not negative: `precision` digits, without zeros at the end unless they
/// are kept; an exponent where it would be below -4 or at least the precision minus `earlier`.
std::string general_digits(double size, int precision, bool keep_zeros, int earlier);
/// With a point behind the digits before the exponent, if there is none yet.
std::string with_point(std::string digits);

/// `text` with `fill` (one code point) around it: '<' behind, '>' before, '^' at both sides. Widths count
/// code points. Charged.
std::string aligned(Run& run, std::string_view text, std::string_view fill, char align, std::size_t width);
/// The first `count` code points.
std::string_view first_codes(std::string_view text, std::size_t count);
/// chr(value); throws Error where there is no such character.
std::string character(std::int64_t value);

}  // namespace rung::jinja
