// How vocabularies write bytes: one visible character each (GPT-2), or "<0x41>" (SentencePiece).

#include <unordered_map>

#include "core/ascii.hpp"
#include "text/tokenizer/models/bpe.hpp"
#include "text/utf8.hpp"

namespace rung {

const std::array<std::string, 256>& visible_bytes() {
  static const std::array<std::string, 256> table = [] {
    std::array<std::string, 256> result;
    char32_t next = 256;  // bytes that are no visible Latin-1 character get the code points from here on
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      result[byte] = utf8_encoded(visible ? byte : next++);
    }
    return result;
  }();
  return table;
}

std::optional<std::string> bytes_of_visible(std::string_view token) {
  static const std::unordered_map<std::string_view, char> bytes = [] {
    std::unordered_map<std::string_view, char> result;
    for (std::size_t byte = 0; byte < 256; ++byte)
      result.emplace(visible_bytes()[byte], static_cast<char>(byte));
    return result;
  }();
  std::string text;
  for (std::size_t at = 0; at < token.size();) {
    const std::size_t length = utf8_next(token, at).length;
    const auto found = bytes.find(token.substr(at, length));
    if (found == bytes.end()) return std::nullopt;
    text += found->second;
    at += length;
  }
  return text;
}

std::string from_visible_bytes(std::string_view token) {
  return bytes_of_visible(token).value_or(std::string(token));
}

int named_byte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  int byte = 0;
  for (const char c : token.substr(3, 2)) {
    if (!is_digit_of_base(c, 16) || c >= 'a') return -1;  // capitals only
    byte = 16 * byte + ascii_digit_value(c);
  }
  return byte;
}

}  // namespace rung
