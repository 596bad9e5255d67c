#pragma once
// What tokenizers need of Unicode: properties of a code point, and normal forms of a text.
//
// The tables are utf8proc's (Unicode 15 in Debian 12): one small C library, where ICU would bring 30 MB of
// data for the same few functions. The order of combining marks and the limits are ours, because
// utf8proc's ordering is quadratic in the length of a run of marks.

#include <string>
#include <string_view>

namespace rung::unicode {

/// Unicode's White_Space.
bool is_space(char32_t code);
/// `\w` of regular expressions (Unicode TR18): letters, marks, decimal digits, connectors, joiners.
bool is_word(char32_t code);
bool is_letter(char32_t code);           // L
bool is_number(char32_t code);           // N
bool is_decimal_digit(char32_t code);    // Nd
bool is_mark(char32_t code);             // M
bool is_nonspacing_mark(char32_t code);  // Mn
bool is_punctuation(char32_t code);      // P
bool is_other(char32_t code);            // C without Cn: controls, formats, private use
bool is_ascii_punctuation(char32_t code);
/// Han as BERT counts it: the CJK blocks, not Hiragana, Katakana or Hangul.
bool is_cjk(char32_t code);

/// The same three as Hugging Face's `tokenizers` has them, whose tables stem from Unicode 8 and 9:
/// vocabularies were trained with those. The first includes all ASCII punctuation ("$", "+").
bool tokenizers_punctuation(char32_t code);
bool tokenizers_mark(char32_t code);
bool tokenizers_nonspacing_mark(char32_t code);

/// Appends the lower-case form, which may be two code points (U+0130).
void append_lower(char32_t code, std::string& text);

enum class Form { nfc, nfd, nfkc, nfkd };
/// The normal form of a text. REQUIRES: valid UTF-8.
std::string normal_form(std::string_view text, Form form);

/// Bytes of the extended grapheme cluster at text[at]. REQUIRES: valid UTF-8, at < text.size().
std::size_t grapheme_length(std::string_view text, std::size_t at);

}  // namespace rung::unicode
