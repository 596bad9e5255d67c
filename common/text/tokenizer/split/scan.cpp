// Hand-written scanners for GPT-2's and Llama 3's patterns.
//
// A pattern is a list of alternatives, and the first alternative that matches at a position is used. Here,
// each alternative is a few lines of code that check the classes of the next characters.

#include "text/tokenizer/split/scan.hpp"

#include <array>

#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace rung {
namespace {

enum class Class : unsigned char { other, letter, number, space };

Class class_of(char32_t code) {
  if (unicode::is_letter(code)) return Class::letter;
  if (unicode::is_number(code)) return Class::number;
  return unicode::is_space(code) ? Class::space : Class::other;
}

const std::array<Class, 128>& ascii_classes() {
  static const std::array<Class, 128> table = [] {
    std::array<Class, 128> result{};
    for (char32_t code = 0; code < 128; ++code) result[code] = class_of(code);
    return result;
  }();
  return table;
}

/// Iterates over a span, one character at a time.
class Cursor {
 public:
  Cursor(std::string_view text, Span span) : text_(text.data()), at_(span.begin), end_(span.end) { look(); }
  bool done() const { return at_ == end_; }
  std::uint32_t at() const { return at_; }
  Class cls() const { return class_; }  // of the next character; REQUIRES: not done
  bool is(char c) const { return at_ < end_ && text_[at_] == c; }
  bool is_newline() const { return is('\n') || is('\r'); }
  bool is(Class c) const { return at_ < end_ && class_ == c; }
  void step() {
    at_ += length_;
    look();
  }
  void skip(Class c) {
    while (is(c)) step();
  }
  char byte(std::uint32_t ahead) const { return at_ + ahead < end_ ? text_[at_ + ahead] : '\0'; }
  /// Moves to an offset at which a character begins.
  void move_to(std::uint32_t at) {
    at_ = at;
    look();
  }

 private:
  void look() {
    if (at_ >= end_) return;
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x80) {
      length_ = 1;
      class_ = classes_[byte];
      return;
    }
    length_ = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    class_ = class_of(utf8_code_point({text_, end_}, at_, length_));
  }
  const char* text_;
  std::uint32_t at_, end_;
  std::uint32_t length_ = 0;
  Class class_ = Class::other;
  const std::array<Class, 128>& classes_ = ascii_classes();
};

/// Handles \s+(?!\S)|\s+ at a run of white space. It matches the whole run at the end of the text, all except
/// the last character elsewhere, and a run of one character as a whole.
void spaces(Cursor& cursor) {
  std::uint32_t last = cursor.at();
  const std::uint32_t begin = last;
  while (cursor.is(Class::space)) {
    last = cursor.at();
    cursor.step();
  }
  if (!cursor.done() && last > begin) cursor.move_to(last);
}

/// Returns the number of bytes of 's, 't, 're, 've, 'm, 'll or 'd at the cursor, or 0 if there is none.
std::uint32_t contraction(const Cursor& cursor, bool any_case) {
  if (!cursor.is('\'')) return 0;
  const auto lower = [&](std::uint32_t ahead) {
    const char c = cursor.byte(ahead);
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  const char first = lower(1), second = lower(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  if (first == 'l' && second == 'l') return 3;
  // U+017F, the long s, is an s if the case is ignored.
  if (any_case && first == '\xC5' && cursor.byte(2) == '\xBF') return 3;
  return 0;
}

void scan_gpt2(std::string_view text, Span span, std::vector<Span>& words) {
  Cursor cursor(text, span);
  while (!cursor.done()) {
    const std::uint32_t begin = cursor.at();
    if (const std::uint32_t bytes = contraction(cursor, false); bytes > 0) {
      cursor.move_to(begin + bytes);
    } else {
      const bool space = cursor.is(' ');
      if (space) cursor.step();
      if (!cursor.done() && cursor.cls() != Class::space) {
        cursor.skip(cursor.cls());  // ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
      } else {
        if (space) cursor.move_to(begin);
        spaces(cursor);
      }
    }
    words.push_back({begin, cursor.at()});
  }
}

template <int kDigits>
void scan_llama3(std::string_view text, Span span, std::vector<Span>& words) {
  Cursor cursor(text, span);
  while (!cursor.done()) {
    const std::uint32_t begin = cursor.at();
    if (const std::uint32_t bytes = contraction(cursor, true); bytes > 0) {
      cursor.move_to(begin + bytes);
    } else if (cursor.cls() == Class::letter) {
      cursor.skip(Class::letter);
    } else if (cursor.cls() == Class::number) {
      for (int i = 0; i < kDigits && cursor.is(Class::number); ++i) cursor.step();
    } else {
      const Class first = cursor.cls();
      const bool newline = cursor.is_newline(), space = cursor.is(' ');
      cursor.step();
      if (!newline && cursor.is(Class::letter)) {  // [^\r\n\p{L}\p{N}]?\p{L}+
        cursor.skip(Class::letter);
      } else if (first == Class::other || (space && cursor.is(Class::other))) {
        cursor.skip(Class::other);  // ?[^\s\p{L}\p{N}]+[\r\n]*
        while (cursor.is_newline()) cursor.step();
      } else {
        // \s*[\r\n]+ matches up to the last newline of the run.
        cursor.move_to(begin);
        std::uint32_t after_newline = begin;
        while (cursor.is(Class::space)) {
          const bool here = cursor.is_newline();
          cursor.step();
          if (here) after_newline = cursor.at();
        }
        cursor.move_to(after_newline);
        if (after_newline == begin) spaces(cursor);
      }
    }
    words.push_back({begin, cursor.at()});
  }
}

}  // namespace

Scanner find_scanner(std::string_view pattern) {
  if (pattern == kGpt2Pattern) return scan_gpt2;
  if (pattern == kLlama3Pattern) return scan_llama3<3>;
  if (pattern == kQwen2Pattern) return scan_llama3<1>;
  return nullptr;
}

}  // namespace rung
