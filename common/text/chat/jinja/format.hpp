#pragma once
// Functions that the string operator % and str.format() share: converting numbers to text and padding text to
// a width.

#include <cstdint>
#include <string>
#include <string_view>

#include "text/chat/jinja/run.hpp"

namespace rung::jinja {

/// The largest width or precision that a format can request.
inline constexpr std::int64_t kMostFormatWidth = 100'000;

/// A number in three parts. Zeros that pad the number are inserted between the prefix and the digits.
struct NumberText {
  std::string sign, prefix, digits;
};

struct NumberStyle {
  char type = 'd';         // for integers: b d o x X; for other numbers: e E f F g G
  char positive = '-';     // the sign of a number that is not negative: '+', ' ', or '-' for no sign
  bool alternate = false;  // "#": adds prefixes such as 0x, and always writes a decimal point
  int precision = -1;  // not for integers: digits after the point (g, G: all digits); -1: Python's default
};

NumberText whole_text(std::int64_t value, const NumberStyle& style);
NumberText real_text(double value, const NumberStyle& style);

/// Formats a number that is not negative as 'g' does. It has `precision` significant digits, and trailing
/// zeros are removed unless `keep_zeros` is true. The exponent is written if it is below -4 or at least
/// `precision` - `earlier`.
std::string general_digits(double size, int precision, bool keep_zeros, int earlier);
/// Inserts a decimal point before the exponent, if there is no point yet.
std::string with_point(std::string digits);

/// Pads `text` with `fill` (one code point) to `width` code points. `align` is the position of the text: '<'
/// left, '>' right, '^' center. Charges the run for the result.
std::string aligned(Run& run, std::string_view text, std::string_view fill, char align, std::size_t width);
/// Returns the first `count` code points.
std::string_view first_codes(std::string_view text, std::size_t count);
/// chr(value). Throws Error if there is no such character.
std::string character(std::int64_t value);

}  // namespace rung::jinja
