#pragma once
// UTF-8 as the Unicode standard defines it (chapter 3, table 3-7 and "U+FFFD substitution of maximal
// subparts"): one function that looks at the next character and one that repairs a text.

#include <cstddef>
#include <string>
#include <string_view>

namespace rung {

struct Utf8Step {
  enum class Kind {
    character,   // a complete, well-formed character
    ill_formed,  // the longest beginning of a character that can no longer become one, at least one byte
    unfinished,  // well-formed so far, but the text ends here
  };
  Kind kind = Kind::character;
  std::size_t length = 0;  // bytes, 1 to 4
};

/// What stands at text[at]. REQUIRES: at < text.size().
Utf8Step utf8_next(std::string_view text, std::size_t at);

/// Bytes of the longest well-formed beginning of text[at..].
std::size_t utf8_valid_length(std::string_view text, std::size_t at);

/// Calls visit(part, whole) for every character of a text, in order; where whole is false, `part` is a byte
/// that belongs to none.
template <class Visit>
void utf8_each(std::string_view text, Visit&& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_next(text, at);
    const bool whole = step.kind == Utf8Step::Kind::character;
    const std::size_t length = whole ? step.length : 1;
    visit(text.substr(at, length), whole);
    at += length;
  }
}

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view kVisibleSpace = "\xE2\x96\x81";          // U+2581, SentencePiece's space

/// Appends to `out` the characters of `text`, with U+FFFD in place of every ill-formed maximal subpart, up to
/// the character that `text` ends within. Returns where that one begins; text.size() where there is none.
std::size_t utf8_append_repaired(std::string_view text, std::string& out);

/// `text` with every ill-formed maximal subpart replaced by U+FFFD; an unfinished character at the end too.
std::string utf8_repaired(std::string_view text);

/// Bytes of the longest beginning that both texts have and that ends between two characters of both.
std::size_t utf8_common_prefix(std::string_view a, std::string_view b);

/// The UTF-8 bytes of a code point. REQUIRES: code is a Unicode scalar value.
std::string utf8_encoded(char32_t code);

/// The code point at text[at], whose length is `length`. REQUIRES: utf8_next said `character`.
char32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length);

}  // namespace rung
