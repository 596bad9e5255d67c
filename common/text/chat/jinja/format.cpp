// Converting numbers to text, and padding text to a width.

#include "text/chat/jinja/format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

std::string sign_of(bool negative, char positive) {
  if (negative) return "-";
  return positive == '-' ? std::string() : std::string(1, positive);
}

/// fmt omits zeros after the last digit that a double can have, so this function appends them.
std::string fixed_digits(double size, int precision) {
  std::string digits = fmt::format("{:.{}f}", size, precision);
  if (precision > 0) {
    const std::size_t behind = digits.size() - 1 - std::min(digits.find('.'), digits.size() - 1);
    digits.append(static_cast<std::size_t>(precision) - std::min(behind, static_cast<std::size_t>(precision)),
                  '0');
  }
  return digits;
}

}  // namespace

std::string general_digits(double size, int precision, bool keep_zeros, int earlier) {
  const int digits = std::max(precision, 1);
  const std::string scientific = fmt::format("{:.{}e}", size, digits - 1);
  const std::size_t e = scientific.find('e');
  int exponent = 0;  // fmt writes the exponent with a sign and at least two digits
  std::from_chars(scientific.data() + e + 2, scientific.data() + scientific.size(), exponent);
  if (scientific[e + 1] == '-') exponent = -exponent;
  const auto without_zeros = [&](std::string text) {
    if (keep_zeros || text.find('.') == std::string::npos) return text;
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  };
  if (exponent < -4 || exponent >= digits - earlier)
    return without_zeros(scientific.substr(0, e)) + scientific.substr(e);
  return without_zeros(fixed_digits(size, std::max(digits - 1 - exponent, 0)));
}

std::string with_point(std::string digits) {
  if (digits.find('.') == std::string::npos) digits.insert(std::min(digits.find('e'), digits.size()), 1, '.');
  return digits;
}

NumberText whole_text(std::int64_t value, const NumberStyle& style) {
  const auto bits = static_cast<std::uint64_t>(value);
  const std::uint64_t size = value < 0 ? 0 - bits : bits;
  NumberText text{sign_of(value < 0, style.positive), {}, {}};
  switch (style.type) {
    case 'b':
      text.digits = fmt::format("{:b}", size);
      break;
    case 'o':
      text.digits = fmt::format("{:o}", size);
      break;
    case 'x':
      text.digits = fmt::format("{:x}", size);
      break;
    case 'X':
      text.digits = fmt::format("{:X}", size);
      break;
    default:
      text.digits = fmt::format("{}", size);
      return text;
  }
  if (style.alternate) text.prefix = std::string("0") + style.type;
  return text;
}

NumberText real_text(double value, const NumberStyle& style) {
  const bool capital = style.type >= 'A' && style.type <= 'Z';
  if (std::isnan(value)) return {sign_of(false, style.positive), {}, capital ? "NAN" : "nan"};
  NumberText text{sign_of(std::signbit(value), style.positive), {}, {}};
  const double size = std::fabs(value);
  if (std::isinf(value)) {
    text.digits = capital ? "INF" : "inf";
    return text;
  }
  const int precision = style.precision < 0 ? 6 : style.precision;
  switch (style.type | 32) {
    case 'e':
      text.digits = fmt::format("{:.{}e}", size, precision);
      break;
    case 'f':
      text.digits = fixed_digits(size, precision);
      break;
    default:
      text.digits = general_digits(size, precision, style.alternate, 0);
  }
  if (style.alternate) text.digits = with_point(std::move(text.digits));
  if (capital) std::replace(text.digits.begin(), text.digits.end(), 'e', 'E');
  return text;
}

std::string aligned(Run& run, std::string_view text, std::string_view fill, char align, std::size_t width) {
  const std::size_t length = length_in_codes(text);
  const std::size_t missing = width > length ? width - length : 0;
  const std::size_t left = align == '<' ? 0 : (align == '^' ? missing / 2 : missing);
  run.charge(missing * fill.size() + text.size());
  std::string out;
  for (std::size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::size_t i = left; i < missing; ++i) out += fill;
  return out;
}

std::string_view first_codes(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) next_code(text, end);
  return text.substr(0, end);
}

std::string character(std::int64_t value) {
  if (value < 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    fail("a format asks for the character {}, which does not exist", value);
  std::string out;
  append_utf8(out, static_cast<std::uint32_t>(value));
  return out;
}

}  // namespace rung::jinja
