#pragma once
// Functions for the letters and digits of ASCII, which names of files, headers and addresses consist of.
// Unlike the functions of <cctype>, they do not depend on the locale. Bytes above 127 are neither letters nor
// digits.

#include <string>
#include <string_view>

namespace rung {

constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Returns the value of a digit in bases up to 36, or -1 for other characters. Letters of both cases have the
/// values 10 to 35.
constexpr int ascii_digit_value(char c) {
  if (is_ascii_digit(c)) return c - '0';
  return is_ascii_letter(c) ? ascii_lower(c) - 'a' + 10 : -1;
}
/// Returns whether a character is a digit in base `base`, which is at most 36.
constexpr bool is_digit_of_base(char c, int base) {
  return ascii_digit_value(c) >= 0 && ascii_digit_value(c) < base;
}

inline std::string ascii_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ascii_lower(c);
  return result;
}

}  // namespace rung
