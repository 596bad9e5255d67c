#pragma once
// Letters and digits of ASCII, in names of files, headers and addresses. Unlike the functions of <cctype>
// these do not depend on the locale, and bytes above 127 are neither letters nor digits.

#include <string>
#include <string_view>

namespace rung {

constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// The value of a digit in bases up to 36, the letters of both cases being 10 to 35; -1 for other characters.
constexpr int ascii_digit_value(char c) {
  if (is_ascii_digit(c)) return c - '0';
  return is_ascii_letter(c) ? ascii_lower(c) - 'a' + 10 : -1;
}
/// Whether a character is a digit in a base of up to 36.
constexpr bool is_digit_of_base(char c, int base) {
  return ascii_digit_value(c) >= 0 && ascii_digit_value(c) < base;
}

inline std::string ascii_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ascii_lower(c);
  return result;
}

}  // namespace rung
