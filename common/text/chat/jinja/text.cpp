// Python's string operations on UTF-8.

#include "text/chat/jinja/text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

bool is_line_end(std::uint32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || i + static_cast<std::size_t>(more) >= text.size())
      return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (int k = 1; k <= more; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if ((byte & 0xC0U) != 0x80) return false;
      code = code << 6 | (byte & 0x3FU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += static_cast<std::size_t>(more) + 1;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
  }
}

std::uint32_t next_code(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  std::uint32_t code = lead & (0x3FU >> more);
  for (int k = 0; k < more; ++k) code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  return code;
}

std::size_t length_in_codes(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  return n;
}

std::vector<std::size_t> code_offsets(std::string_view text) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80) offsets.push_back(i);
  }
  offsets.push_back(text.size());
  return offsets;
}

std::string_view strip(std::string_view text, bool left, bool right, const std::string* chars) {
  const auto goes = [&](std::string_view character) {
    std::size_t zero = 0;
    return chars != nullptr ? chars->find(character) != std::string::npos
                            : is_space(next_code(character, zero));
  };
  while (left && !text.empty()) {
    std::size_t end = 0;
    next_code(text, end);
    if (!goes(text.substr(0, end))) break;
    text.remove_prefix(end);
  }
  while (right && !text.empty()) {
    std::size_t begin = text.size() - 1;
    while ((static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80) --begin;
    if (!goes(text.substr(begin))) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = i;
    if (!is_line_end(next_code(text, i))) continue;
    if (text[end] == '\r' && i < text.size() && text[i] == '\n') ++i;
    lines.push_back(text.substr(begin, (keep_ends ? i : end) - begin));
    begin = i;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string repr(std::string_view text, bool ascii) {
  const bool apostrophe =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = apostrophe ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t c = next_code(text, i);
    if (c == static_cast<std::uint32_t>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c) && !(ascii && c >= 0x80)) {
      append_utf8(out, c);
    } else {
      out += c < 0x100 ? fmt::format("\\x{:02x}", c)
                       : (c < 0x10000 ? fmt::format("\\u{:04x}", c) : fmt::format("\\U{:08x}", c));
    }
  }
  return out + quote;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[64];
  const double size = std::fabs(value);
  const bool scientific = size < 1e-4 || size >= 1e16;
  const auto done = std::to_chars(buffer, buffer + sizeof buffer, value,
                                  scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer, done.ptr);
  if (!scientific && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string replace(std::string_view text, std::string_view old, std::string_view now, std::int64_t count) {
  std::string out;
  if (old.empty()) {
    for (std::size_t i = 0; count != 0; --count) {
      out += now;
      if (i == text.size()) return out;
      const std::size_t begin = i;
      next_code(text, i);
      out += text.substr(begin, i - begin);
      if (count == 1) return out += text.substr(i);
    }
    return std::string(text);
  }
  std::size_t begin = 0;
  for (; count != 0; --count) {
    const std::size_t at = text.find(old, begin);
    if (at == std::string_view::npos) break;
    out += text.substr(begin, at - begin);
    out += now;
    begin = at + old.size();
  }
  return out += text.substr(begin);
}

std::vector<std::string_view> split_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> parts;
  text = strip(text, true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      std::size_t next = end;
      if (is_space(next_code(text, next))) break;
      end = next;
    }
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), true, false);
  }
  return parts;
}

std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> words = split_space(text, -1);
  if (most < 0 || static_cast<std::int64_t>(words.size()) <= most) return words;
  const std::size_t rest = words.size() - static_cast<std::size_t>(most);
  const std::string_view head =
      text.substr(0, static_cast<std::size_t>(words[rest - 1].data() - text.data()) + words[rest - 1].size());
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(rest));
  words.insert(words.begin(), head);
  return words;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most) {
  if (separator.empty()) fail("split() with an empty separator");
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator,
                                        std::int64_t most) {
  if (separator.empty()) fail("rsplit() with an empty separator");
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t at = text.rfind(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

}  // namespace rung::jinja
