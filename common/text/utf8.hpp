#pragma once
// UTF-8 as the Unicode standard defines it (chapter 3, table 3-7 and "U+FFFD substitution of maximal
// subparts"). One function examines the next character, and another one repairs a text.

#include <cstddef>
#include <string>
#include <string_view>

namespace rung {

struct Utf8Step {
  enum class Kind {
    character,   // a complete, well-formed character
    ill_formed,  // the longest beginning of a character that cannot become a valid one any more; at least one
                 // byte
    unfinished,  // well-formed so far, but the text ends here
  };
  Kind kind = Kind::character;
  std::size_t length = 0;  // bytes, 1 to 4
};

/// Examines the bytes at text[at]. REQUIRES: at < text.size().
Utf8Step utf8_next(std::string_view text, std::size_t at);

/// Returns the number of bytes of the longest well-formed beginning of text[at..].
std::size_t utf8_valid_length(std::string_view text, std::size_t at);

/// Calls visit(part, whole) for every character of a text, in order. If `whole` is false, `part` is a byte
/// that belongs to no character.
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

/// Appends the characters of `text` to `out`, with U+FFFD in place of every ill-formed maximal subpart. Stops
/// before a character that is unfinished at the end of `text`, and returns where it begins, or text.size() if
/// there is none.
std::size_t utf8_append_repaired(std::string_view text, std::string& out);

/// Returns `text` with U+FFFD in place of every ill-formed maximal subpart, and of an unfinished character at
/// the end.
std::string utf8_repaired(std::string_view text);

/// Returns the number of bytes of the longest common prefix of both texts that ends between two characters of
/// both.
std::size_t utf8_common_prefix(std::string_view a, std::string_view b);

/// Returns the UTF-8 bytes of a code point. REQUIRES: `code` is a Unicode scalar value.
std::string utf8_encoded(char32_t code);

/// Returns the code point at text[at], whose length is `length`. REQUIRES: utf8_next returned `character`.
char32_t utf8_code_point(std::string_view text, std::size_t at, std::size_t length);

}  // namespace rung
