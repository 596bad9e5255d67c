// int() and float() of strings.

#include "text/chat/jinja/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

/// Replaces digits of all scripts with ASCII digits and white space beyond ASCII with spaces, and then strips
/// the white space that C's isspace() knows at both ends. U+001C to U+001F stay although str.isspace() is
/// true for them, because CPython does the same. Returns nothing if another character beyond ASCII is left.
std::optional<std::string> plain_number(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t code = next_code(text, i);
    const int digit = decimal_value(code);
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (is_space(code)) {
      out += ' ';
    } else if (digit >= 0) {
      out += static_cast<char>('0' + digit);
    } else {
      return std::nullopt;
    }
  }
  constexpr const char* kSpace = " \t\n\v\f\r";
  const std::size_t first = out.find_first_not_of(kSpace);
  if (first == std::string::npos) return std::nullopt;
  return out.substr(first, out.find_last_not_of(kSpace) - first + 1);
}

/// Removes a sign from the front. Returns whether it was a minus sign.
bool take_minus(std::string_view& text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  return minus;
}

/// Removes single underscores between two digits of `base`. Returns nothing if there is any other underscore.
std::optional<std::string> without_underscores(std::string_view text, int base) {
  std::string out;
  const auto digit = [&](std::size_t i) { return i < text.size() && is_digit_of_base(text[i], base); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
    } else if (i == 0 || !digit(i - 1) || !digit(i + 1)) {
      return std::nullopt;
    }
  }
  return out;
}

/// Whether decimal digits with an optional point and exponent represent a number of at least 1.
bool at_least_one(std::string_view digits) {
  const std::size_t e = std::min(digits.find_first_of("eE"), digits.size());
  std::int64_t exponent = 0;
  if (e < digits.size()) {
    std::string_view text = digits.substr(e + 1);
    const bool minus = take_minus(text);
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc())
      exponent = std::numeric_limits<std::int32_t>::max();
    exponent = minus ? -exponent : exponent;
  }
  const std::string_view mantissa = digits.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_not_of("0.");  // exists, because zero is never out of range
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return exponent + (first < point ? place - 1 : place) >= 0;
}

}  // namespace

std::optional<std::int64_t> parse_whole(std::string_view text, int base) {
  const auto plain = plain_number(text);
  if (!plain) return std::nullopt;
  std::string_view rest = *plain;
  const bool minus = take_minus(rest);
  const char second = rest.size() > 1 && rest[0] == '0' ? static_cast<char>(rest[1] | 32) : '\0';
  const int prefix = second == 'x' ? 16 : (second == 'o' ? 8 : (second == 'b' ? 2 : 0));
  const bool must_be_zero = base == 0 && prefix == 0 && rest.starts_with('0');  // Python rejects 007
  if (prefix != 0 && (base == 0 || base == prefix)) {
    rest.remove_prefix(2);
    if (rest.starts_with('_')) rest.remove_prefix(1);
    base = prefix;
  }
  if (base == 0) base = 10;
  const auto digits = without_underscores(rest, base);
  if (!digits || digits->empty()) return std::nullopt;
  if (!std::all_of(digits->begin(), digits->end(), [&](char c) { return is_digit_of_base(c, base); }))
    return std::nullopt;
  // CPython rejects strings with more digits, except in bases that are powers of two.
  constexpr std::size_t kMostDigits = 4300;
  if (digits->size() > kMostDigits && (base & (base - 1)) != 0) return std::nullopt;
  const std::string number = (minus ? "-" : "") + *digits;
  std::int64_t value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value, base).ec != std::errc())
    fail("int: {} does not fit 64 bits", number.size() > 40 ? number.substr(0, 40) + "..." : number);
  if (must_be_zero && value != 0) return std::nullopt;
  return value;
}

double nearest_real(std::string_view digits) {
  double value = 0;
  const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (done.ec == std::errc::result_out_of_range)
    return at_least_one(digits) ? std::numeric_limits<double>::infinity() : 0.0;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  const auto plain = plain_number(text);
  const auto number = plain ? without_underscores(*plain, 10) : std::nullopt;
  if (!number) return std::nullopt;
  std::string_view rest = *number;
  const bool minus = take_minus(rest);
  const auto with_sign = [&](double value) { return minus ? -value : value; };
  const std::string word = ascii_lower(rest);
  if (word == "inf" || word == "infinity") return with_sign(std::numeric_limits<double>::infinity());
  if (word == "nan") return with_sign(std::numeric_limits<double>::quiet_NaN());

  // Digits with an optional decimal point, then an optional exponent.
  std::size_t i = 0, count = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < rest.size() && is_ascii_digit(rest[i])) ++i;
    return i - begin;
  };
  count = digits();
  if (i < rest.size() && rest[i] == '.') {
    ++i;
    count += digits();
  }
  if (count == 0) return std::nullopt;
  if (i < rest.size() && (rest[i] | 32) == 'e') {
    ++i;
    if (i < rest.size() && (rest[i] == '+' || rest[i] == '-')) ++i;
    if (digits() == 0) return std::nullopt;
  }
  if (i != rest.size()) return std::nullopt;
  return with_sign(nearest_real(rest));
}

}  // namespace rung::jinja
