#pragma once
// The Unicode functions that tokenizers need: properties of a code point, and normal forms of a text.
//
// The tables are those of utf8proc (Unicode 15 in Debian 12), a small C library. ICU would add 30 MB of data
// for the same few functions. The ordering of combining marks and the limits are Rung's own, because the time
// of utf8proc's ordering is quadratic in the length of a run of marks.

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
/// Han characters as BERT defines them: the CJK blocks, without Hiragana, Katakana and Hangul.
bool is_cjk(char32_t code);

/// The same three properties as in Hugging Face's `tokenizers`, whose tables are from Unicode 8 and 9.
/// Vocabularies were trained with those tables. The first includes all ASCII punctuation ("$", "+").
bool tokenizers_punctuation(char32_t code);
bool tokenizers_mark(char32_t code);
bool tokenizers_nonspacing_mark(char32_t code);

/// Appends the lower-case form, which can have two code points (U+0130).
void append_lower(char32_t code, std::string& text);

enum class Form { nfc, nfd, nfkc, nfkd };
/// Returns the normal form of a text. REQUIRES: valid UTF-8.
std::string normal_form(std::string_view text, Form form);

/// Returns the number of bytes of the extended grapheme cluster at text[at]. REQUIRES: valid UTF-8, at <
/// text.size().
std::size_t grapheme_length(std::string_view text, std::size_t at);

}  // namespace rung::unicode
