// Unicode functions, implemented with utf8proc.

#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.hpp"
#include "text/utf8.hpp"

namespace rung::unicode {
namespace {

utf8proc_category_t category(char32_t code) { return utf8proc_category(static_cast<utf8proc_int32_t>(code)); }

bool within(utf8proc_category_t value, utf8proc_category_t first, utf8proc_category_t last) {
  return value >= first && value <= last;
}

int combining_class(utf8proc_int32_t code) {
  return static_cast<int>(utf8proc_get_property(code)->combining_class);
}

/// Characters whose decomposition came to Unicode after the tables that vocabularies were trained with.
bool decomposed_later(utf8proc_int32_t c) {
  return c == 0x32FF || (c >= 0xA7F2 && c <= 0xA7F4) || c == 0xAB69 || (c >= 0x10781 && c <= 0x107BA) ||
         c == 0x11938 || (c >= 0x1E030 && c <= 0x1E06D) || c == 0x1F16C || (c >= 0x1FBF0 && c <= 0x1FBF9);
}

}  // namespace

bool is_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 9 && code <= 13);
  return code == 0x85 || within(category(code), UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZP);
}

bool is_letter(char32_t code) { return within(category(code), UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO); }
bool is_number(char32_t code) { return within(category(code), UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
bool is_decimal_digit(char32_t code) { return category(code) == UTF8PROC_CATEGORY_ND; }
bool is_mark(char32_t code) { return within(category(code), UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME); }
bool is_nonspacing_mark(char32_t code) { return category(code) == UTF8PROC_CATEGORY_MN; }
bool is_punctuation(char32_t code) {
  return within(category(code), UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO);
}
bool is_other(char32_t code) {
  const utf8proc_category_t value = category(code);
  return within(value, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CO);
}

bool is_ascii_punctuation(char32_t code) {
  return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') || (code >= '[' && code <= '`') ||
         (code >= '{' && code <= '~');
}

bool is_word(char32_t code) {
  if (code < 0x80) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9') ||
           code == '_';
  }
  const utf8proc_category_t value = category(code);
  return within(value, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_ME) || value == UTF8PROC_CATEGORY_ND ||
         value == UTF8PROC_CATEGORY_NL || value == UTF8PROC_CATEGORY_PC || code == 0x200C || code == 0x200D ||
         (code >= 0x24B6 && code <= 0x24E9) || (code >= 0x1F130 && code <= 0x1F149) ||
         (code >= 0x1F150 && code <= 0x1F169) || (code >= 0x1F170 && code <= 0x1F189);  // letters in circles
}

bool is_cjk(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  static constexpr std::array<Range, 8> kRanges = {{{0x4E00, 0x9FFF},
                                                    {0x3400, 0x4DBF},
                                                    {0x20000, 0x2A6DF},
                                                    {0x2A700, 0x2B73F},
                                                    {0x2B740, 0x2B81F},
                                                    {0x2B920, 0x2CEAF},
                                                    {0xF900, 0xFAFF},
                                                    {0x2F800, 0x2FA1F}}};
  return std::any_of(kRanges.begin(), kRanges.end(),
                     [code](const Range& range) { return code >= range.first && code <= range.last; });
}

void append_lower(char32_t code, std::string& text) {
  if (code < 0x80) {
    text += static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code);
  } else if (code == 0x130) {  // the one letter whose lower case is two: i and a dot above
    text += "i\xCC\x87";
  } else {
    text += utf8_encoded(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
  }
}

std::string normal_form(std::string_view text, Form form) {
  // Below U+00A0 every form changes nothing, below U+0300 composed forms change nothing.
  const bool composed = form == Form::nfc || form == Form::nfkc;
  const unsigned char first_changed = form == Form::nfc ? 0xCC : 0xC2;
  if (std::none_of(text.begin(), text.end(),
                   [&](char c) { return static_cast<unsigned char>(c) >= first_changed; })) {
    return std::string(text);
  }
  const bool compatible = form == Form::nfkc || form == Form::nfkd;
  const auto options =
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0));
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size() + 32);
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_next(text, at);
    const auto code = static_cast<utf8proc_int32_t>(utf8_code_point(text, at, step.length));
    at += step.length;
    if (code >= 0x32FF && decomposed_later(code)) {
      codes.push_back(code);
      continue;
    }
    std::array<utf8proc_int32_t, 32> parts{};  // the longest decomposition has 18
    const utf8proc_ssize_t count = utf8proc_decompose_char(
        code, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()), options, nullptr);
    if (count < 0 || count > static_cast<utf8proc_ssize_t>(parts.size())) {
      fail("the character U+{:04X} cannot be normalized: {}", static_cast<std::uint32_t>(code),
           utf8proc_errmsg(count));
    }
    codes.insert(codes.end(), parts.begin(), parts.begin() + count);
  }
  // Marks stand in the order of their combining class; those of one class stay as they are.
  for (std::size_t i = 0; i < codes.size();) {
    std::size_t end = i;
    while (end < codes.size() && combining_class(codes[end]) > 0) ++end;
    if (end > i + 1) {
      std::stable_sort(codes.begin() + static_cast<std::ptrdiff_t>(i),
                       codes.begin() + static_cast<std::ptrdiff_t>(end),
                       [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    }
    i = end + 1;
  }
  if (composed) {
    const auto compose = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    const utf8proc_ssize_t count =
        utf8proc_normalize_utf32(codes.data(), static_cast<utf8proc_ssize_t>(codes.size()), compose);
    codes.resize(static_cast<std::size_t>(std::max<utf8proc_ssize_t>(count, 0)));
  }
  std::string result;
  result.reserve(text.size());
  for (const utf8proc_int32_t code : codes) result += utf8_encoded(static_cast<char32_t>(code));
  return result;
}

std::size_t grapheme_length(std::string_view text, std::size_t at) {
  utf8proc_int32_t state = 0;
  std::size_t end = at;
  Utf8Step step = utf8_next(text, end);
  auto code = static_cast<utf8proc_int32_t>(utf8_code_point(text, end, step.length));
  end += step.length;
  while (end < text.size()) {
    step = utf8_next(text, end);
    const auto next = static_cast<utf8proc_int32_t>(utf8_code_point(text, end, step.length));
    if (utf8proc_grapheme_break_stateful(code, next, &state)) break;
    code = next;
    end += step.length;
  }
  return end - at;
}

}  // namespace rung::unicode
