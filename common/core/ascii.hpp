#pragma once
// Letters and digits of ASCII, in names of files, headers and addresses. Unlike the functions of <cctype>
// these do not depend on the locale, and bytes above 127 are neither letters nor digits.

#include <string>
#include <string_view>

namespace rung {

constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

inline std::string ascii_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = ascii_lower(c);
  return result;
}

}  // namespace rung
