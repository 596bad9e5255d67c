// UTF-8: the well-formed sequences of table 3-7 of the Unicode standard.

#include "text/utf8.hpp"

#include <algorithm>

namespace rung {

Utf8Step utf8_next(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {Utf8Step::Kind::character, 1};
  std::size_t length = 0;
  // The second byte's range is narrower where a wider one would allow overlong forms (E0, F0),
  // surrogates (ED) or code points above U+10FFFF (F4).
  unsigned char low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {Utf8Step::Kind::ill_formed, 1};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i == text.size()) return {Utf8Step::Kind::unfinished, i};
    if (byte(at + i) < low || byte(at + i) > high) return {Utf8Step::Kind::ill_formed, i};
    low = 0x80, high = 0xBF;
  }
  return {Utf8Step::Kind::character, length};
}

std::size_t utf8_valid_length(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size()) {
    const Utf8Step step = utf8_next(text, end);
    if (step.kind != Utf8Step::Kind::character) break;
    end += step.length;
  }
  return end - at;
}

std::size_t utf8_append_repaired(std::string_view text, std::string& out) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t valid = utf8_valid_length(text, at);
    out.append(text, at, valid);
    at += valid;
    if (at == text.size()) break;
    const Utf8Step step = utf8_next(text, at);
    if (step.kind == Utf8Step::Kind::unfinished) break;
    out += kReplacementCharacter;
    at += step.length;
  }
  return at;
}

std::string utf8_repaired(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  if (utf8_append_repaired(text, result) < text.size()) result += kReplacementCharacter;
  return result;
}

std::size_t utf8_common_prefix(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  auto same = static_cast<std::size_t>(in_a - a.begin());
  const auto inside = [&](std::string_view text) {
    return same < text.size() && (static_cast<unsigned char>(text[same]) & 0xC0) == 0x80;
  };
  while (same > 0 && (inside(a) || inside(b))) --same;
  return same;
}

std::string utf8_encoded(char32_t code) {
  const auto tail = [code](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
}

char32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length) {
  char32_t code = static_cast<unsigned char>(text[at]);
  if (length > 1) code &= 0x7Fu >> length;
  for (std::size_t i = 1; i < length; ++i)
    code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3F);
  return code;
}

}  // namespace rung
