// Properties and case mappings of a single code point.

#include "text/chat/jinja/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "core/ascii.hpp"
#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode_tables.hpp"
#include "text/unicode.hpp"

namespace rung::jinja {
namespace {

utf8proc_category_t category_of(std::uint32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code));
}

/// A set of categories: bit n represents utf8proc's category n.
template <class... Categories>
constexpr std::uint32_t categories(Categories... all) {
  return ((std::uint32_t{1} << static_cast<unsigned>(all)) | ...);
}

constexpr std::uint32_t kLetters =
    categories(UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LL, UTF8PROC_CATEGORY_LT, UTF8PROC_CATEGORY_LM,
               UTF8PROC_CATEGORY_LO);
constexpr std::uint32_t kStarts = kLetters | categories(UTF8PROC_CATEGORY_NL);
constexpr std::uint32_t kContinues = kStarts | categories(UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MC,
                                                          UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_PC);
constexpr std::uint32_t kCaseIgnorable =
    categories(UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME, UTF8PROC_CATEGORY_CF, UTF8PROC_CATEGORY_LM,
               UTF8PROC_CATEGORY_SK);
constexpr std::uint32_t kNotPrintable =
    categories(UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF, UTF8PROC_CATEGORY_CS, UTF8PROC_CATEGORY_CO,
               UTF8PROC_CATEGORY_CN, UTF8PROC_CATEGORY_ZS, UTF8PROC_CATEGORY_ZL, UTF8PROC_CATEGORY_ZP);

bool is_one_of(std::uint32_t code, std::uint32_t set) { return (categories(category_of(code)) & set) != 0; }

bool is_within(std::uint32_t code, std::span<const CodeRange> ranges) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), code,
                       [](std::uint32_t c, const CodeRange& range) { return c < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

const LongCase* long_case(std::uint32_t code) {
  const auto* const found =
      std::lower_bound(std::begin(kLongCases), std::end(kLongCases), code,
                       [](const LongCase& row, std::uint32_t c) { return row.code < c; });
  return found != std::end(kLongCases) && found->code == code ? found : nullptr;
}

void append_mapped(std::string& out, std::uint32_t code, utf8proc_int32_t (*mapping)(utf8proc_int32_t)) {
  append_utf8(out, static_cast<std::uint32_t>(mapping(static_cast<utf8proc_int32_t>(code))));
}

}  // namespace

bool is_letter(std::uint32_t code) { return unicode::is_letter(code); }
bool is_decimal(std::uint32_t code) { return unicode::is_decimal_digit(code); }
bool is_digit(std::uint32_t code) { return is_decimal(code) || is_within(code, kOtherDigits); }
bool is_numeric(std::uint32_t code) { return unicode::is_number(code) || is_within(code, kNumberIdeographs); }

bool is_space(std::uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_word(std::uint32_t code) { return code == '_' || is_letter(code) || is_numeric(code); }
bool is_printable(std::uint32_t code) { return code == ' ' || !is_one_of(code, kNotPrintable); }

bool starts_identifier(std::uint32_t code) {
  if (code == '_') return true;
  return is_one_of(code, kStarts) ? !is_within(code, kStartsNot) : is_within(code, kStartsAlso);
}

bool continues_identifier(std::uint32_t code) {
  return is_one_of(code, kContinues) ? !is_within(code, kContinuesNot) : is_within(code, kContinuesAlso);
}

bool is_lower(std::uint32_t code) {
  return category_of(code) == UTF8PROC_CATEGORY_LL || is_within(code, kOtherLowercase);
}
bool is_upper(std::uint32_t code) {
  return category_of(code) == UTF8PROC_CATEGORY_LU || is_within(code, kOtherUppercase);
}
bool is_title(std::uint32_t code) { return category_of(code) == UTF8PROC_CATEGORY_LT; }
bool is_cased(std::uint32_t code) { return is_lower(code) || is_upper(code) || is_title(code); }
bool is_case_ignorable(std::uint32_t code) {
  return is_one_of(code, kCaseIgnorable) || is_within(code, kCaseIgnorablePunctuation);
}

int decimal_value(std::uint32_t code) {
  if (code < 0x80) return is_ascii_digit(static_cast<char>(code)) ? static_cast<int>(code - '0') : -1;
  if (!is_decimal(code)) return -1;
  // The ten digits of a script are consecutive code points, from zero to nine, and several such runs can be
  // adjacent.
  std::uint32_t zero = code;
  while (is_decimal(zero - 1)) --zero;
  return static_cast<int>((code - zero) % 10);
}

void append_upper(std::string& out, std::uint32_t code) {
  if (const LongCase* row = code < 0x80 ? nullptr : long_case(code)) {
    out += row->upper;
  } else {
    append_mapped(out, code, utf8proc_toupper);
  }
}

void append_title(std::string& out, std::uint32_t code) {
  const LongCase* const row = code < 0x80 ? nullptr : long_case(code);
  if (row != nullptr && row->title != nullptr) {
    out += row->title;
  } else {
    append_mapped(out, code, utf8proc_totitle);
  }
}

void append_lower(std::string& out, std::uint32_t code) { unicode::append_lower(code, out); }

void append_folded(std::string& out, std::uint32_t code) {
  std::array<utf8proc_int32_t, 4> folded{};  // the longest folding has three code points
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), folded.data(),
                              static_cast<utf8proc_ssize_t>(folded.size()), UTF8PROC_CASEFOLD, nullptr);
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    append_utf8(out, static_cast<std::uint32_t>(folded[static_cast<std::size_t>(i)]));
}

}  // namespace rung::jinja
