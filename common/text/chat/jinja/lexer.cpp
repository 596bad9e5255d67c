// The lexer. It advances from tag to tag; the text between tags is data.

#include "text/chat/jinja/lexer.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

constexpr auto npos = std::string_view::npos;

/// The code point that starts at text[at], or 0 at the end of the text.
std::uint32_t code_at(std::string_view text, std::size_t at) {
  return at < text.size() ? next_code(text, at) : 0;
}

/// Replaces \r\n and \r with \n, and removes one newline at the very end.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(normalized(source)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) data();
    add(TokenKind::end, {});
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(text_).substr(at_); }
  bool looking_at(std::string_view what) const { return rest().substr(0, what.size()) == what; }

  void move(std::size_t count) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at_ + count), '\n'));
    at_ += count;
  }
  void skip_space() {
    while (at_ < text_.size()) {
      std::size_t next = at_;
      if (!is_space(next_code(text_, next))) return;
      move(next - at_);
    }
  }
  void add(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  template <class... Args>
  [[noreturn]] void wrong(fmt::format_string<Args...> sentence, Args&&... args) const {
    fail("line {}: {}", line_, fmt::format(sentence, std::forward<Args>(args)...));
  }

  /// Reads the text up to the next tag, and then that tag.
  void data() {
    std::size_t tag = at_;
    for (;; ++tag) {
      tag = text_.find('{', tag);
      if (tag == npos || tag + 1 >= text_.size()) {
        tag = text_.size();
        break;
      }
      if (text_[tag + 1] == '{' || text_[tag + 1] == '%' || text_[tag + 1] == '#') break;
    }
    std::string_view before = std::string_view(text_).substr(at_, tag - at_);
    const char kind = tag < text_.size() ? text_[tag + 1] : '\0';
    const char sign = tag + 2 < text_.size() ? text_[tag + 2] : '\0';
    if (kind != '\0') before = stripped(before, kind, sign);
    if (!before.empty()) add(TokenKind::data, std::string(before));
    move(tag - at_);
    line_starting_ = false;
    if (kind == '\0') return;
    move(2 + (sign == '-' || sign == '+' ? 1 : 0));
    if (kind == '#') {
      comment();
    } else if (kind == '{') {
      tag_inside(TokenKind::variable_begin, TokenKind::variable_end, "}}");
    } else if (!raw()) {
      tag_inside(TokenKind::block_begin, TokenKind::block_end, "%}");
    }
  }

  /// Returns `before` without the white space that the following tag strips.
  std::string_view stripped(std::string_view before, char kind, char sign) const {
    if (sign == '-') return strip(before, false, true);
    if (sign == '+' || kind == '{') return before;
    const std::size_t newline = before.rfind('\n');
    const std::size_t line = newline == npos ? 0 : newline + 1;
    if (line == 0 && !line_starting_) return before;
    return strip(before.substr(line), true, false).empty() ? before.substr(0, line) : before;
  }

  /// Reads the end of a tag. "-" strips all white space after the tag. A block tag also strips one newline
  /// unless it ends with "+". Returns false if there is no end here.
  bool close(std::string_view end, bool trim_newline) {
    const std::size_t begin = at_;
    if (looking_at(std::string("-").append(end))) {
      move(1 + end.size());
      skip_space();
    } else if (trim_newline && looking_at(std::string("+").append(end))) {
      move(1 + end.size());
    } else if (looking_at(end)) {
      move(end.size());
      if (trim_newline && looking_at("\n")) move(1);
    } else {
      return false;
    }
    line_starting_ = at_ > begin && text_[at_ - 1] == '\n';
    return true;
  }

  void comment() {
    const int begin = line_;
    const std::size_t end = text_.find("#}", at_);
    if (end != npos) {  // a sign before "#}" belongs to the end of the comment
      const bool sign = end > at_ && (text_[end - 1] == '-' || text_[end - 1] == '+');
      move(end - at_ - (sign ? 1 : 0));
      close("#}", true);
      return;
    }
    fail("line {}: a comment '{{#' has no end '#}}'", begin);
  }

  /// Reads {% raw %} ... {% endraw %} as one piece of data. Returns false if this is another tag.
  bool raw() {
    std::size_t i = at_;
    const auto spaces = [&](std::size_t from) {
      while (from < text_.size()) {
        std::size_t next = from;
        if (!is_space(next_code(text_, next))) break;
        from = next;
      }
      return from;
    };
    i = spaces(i);
    if (text_.compare(i, 3, "raw") != 0) return false;
    i = spaces(i + 3);
    const bool minus = text_.compare(i, 3, "-%}") == 0;
    if (!minus && text_.compare(i, 2, "%}") != 0) return false;
    const int line = line_;
    move(i + (minus ? 3 : 2) - at_);
    if (minus) skip_space();
    for (std::size_t tag = text_.find("{%", at_); tag != npos; tag = text_.find("{%", tag + 1)) {
      std::size_t j = tag + 2;
      const char sign = j < text_.size() ? text_[j] : '\0';
      if (sign == '-' || sign == '+') ++j;
      j = spaces(j);
      if (text_.compare(j, 6, "endraw") != 0) continue;
      j = spaces(j + 6);
      if (text_.compare(j, 2, "%}") != 0 && text_.compare(j, 3, "-%}") != 0 &&
          text_.compare(j, 3, "+%}") != 0)
        continue;
      line_starting_ = at_ > 0 && text_[at_ - 1] == '\n';
      const std::string_view body = stripped(std::string_view(text_).substr(at_, tag - at_), '%', sign);
      if (!body.empty()) add(TokenKind::data, std::string(body));
      move(j - at_);
      close("%}", true);
      return true;
    }
    fail("line {}: '{{% raw %}}' has no '{{% endraw %}}'", line);
  }

  void tag_inside(TokenKind begin, TokenKind end, std::string_view closing) {
    add(begin, {});
    std::vector<char> open;  // open brackets; the tag can end only when all are closed
    for (;;) {
      skip_space();
      if (at_ >= text_.size()) wrong("a tag has no end '{}'", closing);
      if (open.empty() && close(closing, end == TokenKind::block_end)) break;
      const char c = text_[at_];
      if (is_ascii_digit(c)) {
        number();
      } else if (in_name(code_at(text_, at_))) {
        name();
      } else if (c == '\'' || c == '"') {
        string(c);
      } else {
        op(open);
      }
    }
    tokens_.push_back({end, {}, line_});
  }

  static bool in_name(std::uint32_t code) { return is_word(code) || continues_identifier(code); }

  /// Reads up to the first character that cannot be in a name. The result must be a valid Python name.
  void name() {
    std::size_t end = at_;
    while (in_name(code_at(text_, end))) next_code(text_, end);
    const std::string_view name = std::string_view(text_).substr(at_, end - at_);
    if (!all_of_class(name, CodeClass::identifier)) wrong("'{}' cannot be a name", name);
    add(TokenKind::name, std::string(name));
    move(end - at_);
  }

  /// Returns the end of the digits that begin at `from`: decimal digits of any script with single underscores
  /// between them, and also letters in base 16. Returns `from` if there are none.
  std::size_t digits(std::size_t from, int base) const {
    const auto digit = [&](std::size_t at) {
      const std::uint32_t code = code_at(text_, at);
      if (base < 10) return code >= '0' && code < '0' + static_cast<std::uint32_t>(base);
      return decimal_value(code) >= 0 || (base == 16 && (code | 32) >= 'a' && (code | 32) <= 'f');
    };
    std::size_t end = from;
    while (digit(end) || (end > from && code_at(text_, end) == '_' && digit(end + 1))) next_code(text_, end);
    return end;
  }

  void number() {
    const auto based = [&](std::string_view lower, std::string_view upper, int base) {
      if (!looking_at(lower) && !looking_at(upper)) return false;
      const std::size_t from = at_ + 2 + (code_at(text_, at_ + 2) == '_' ? 1 : 0);
      const std::size_t end = digits(from, base);
      if (end == from) return false;
      add_number(TokenKind::integer, end);
      return true;
    };
    if (based("0x", "0X", 16) || based("0o", "0O", 8) || based("0b", "0B", 2)) return;
    std::size_t end = digits(at_, 10);
    bool real = false;
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';  // a.0.5 is two subscripts
    if (!after_dot && code_at(text_, end) == '.') {
      if (const std::size_t last = digits(end + 1, 10); last > end + 1) end = last, real = true;
    }
    if (!after_dot && (code_at(text_, end) | 32) == 'e') {
      const std::uint32_t sign = code_at(text_, end + 1);
      const std::size_t from = end + (sign == '+' || sign == '-' ? 2 : 1);
      if (const std::size_t last = digits(from, 10); last > from) end = last, real = true;
    }
    if (!real && end - at_ > 1 && text_[at_] == '0' &&
        text_.find_first_not_of("0_", at_) < end)  // Python rejects 007
      wrong("a number may not start with 0");
    add_number(real ? TokenKind::real : TokenKind::integer, end);
  }

  void add_number(TokenKind kind, std::size_t end) {
    std::string plain;
    for (std::size_t i = at_; i < end;) {
      const std::uint32_t code = next_code(text_, i);
      if (code >= 0x80 && kind == TokenKind::real)
        wrong("a number with a point or an exponent has ASCII digits only");
      if (code >= 0x80) {
        plain += static_cast<char>('0' + decimal_value(code));
      } else if (code != '_') {
        plain += static_cast<char>(code);
      }
    }
    add(kind, std::move(plain));
    move(end - at_);
  }

  std::uint32_t hex(std::size_t from, std::size_t count) const {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const char c = from + i < text_.size() ? text_[from + i] : '\0';
      if (!is_digit_of_base(c, 16)) wrong("an escape in a string needs {} hexadecimal digits", count);
      code = code * 16 + static_cast<std::uint32_t>(ascii_digit_value(c));
    }
    return code;
  }

  /// Reads a string with Python's escapes.
  void string(char quote) {
    std::string out;
    const int begin = line_;
    std::size_t i = at_ + 1;
    for (; i < text_.size() && text_[i] != quote; ++i) {
      if (text_[i] != '\\') {
        out += text_[i];
        continue;
      }
      if (++i >= text_.size()) break;
      const char c = text_[i];
      static constexpr std::string_view kNames = "ntrabfv\\'\"", kValues = "\n\t\r\a\b\f\v\\'\"";
      if (const std::size_t known = kNames.find(c); known != npos) {
        out += kValues[known];
      } else if (c == '\n') {
      } else if (c == 'x' || c == 'u' || c == 'U') {
        const std::size_t count = c == 'x' ? 2 : (c == 'u' ? 4 : 8);
        const std::uint32_t code = hex(i + 1, count);
        if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
          wrong("a string names U+{:X}, which is no character", code);
        append_utf8(out, code);
        i += count;
      } else if (c >= '0' && c <= '7') {
        std::uint32_t code = 0;
        std::size_t n = 0;
        for (; n < 3 && i + n < text_.size() && text_[i + n] >= '0' && text_[i + n] <= '7'; ++n)
          code = code * 8 + static_cast<std::uint32_t>(text_[i + n] - '0');
        append_utf8(out, code);
        i += n - 1;
      } else if (c == 'N') {
        wrong("characters by name (\\N) are not supported in strings; write \\uXXXX");
      } else if (std::size_t next = i; (c & 0x80) != 0) {
        // Jinja2 first replaces this character by its ASCII escape and then decodes the escapes. The
        // backslash in front therefore escapes that escape's own backslash, so the escape remains as plain
        // text.
        const std::uint32_t code = next_code(text_, next);
        out += code < 0x100
                   ? fmt::format("\\x{:02x}", code)
                   : (code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code));
        i = next - 1;
      } else {
        out += '\\';
        out += c;
      }
    }
    if (i >= text_.size()) fail("line {}: a string has no end {}", begin, quote);
    add(TokenKind::string, std::move(out));
    move(i + 1 - at_);
  }

  void op(std::vector<char>& open) {
    static constexpr std::array<std::string_view, 26> kOperators = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    for (const std::string_view known : kOperators) {
      if (!looking_at(known)) continue;
      const char c = known[0];
      if (c == '(' || c == '[' || c == '{') open.push_back(c == '(' ? ')' : (c == '[' ? ']' : '}'));
      if (c == ')' || c == ']' || c == '}') {
        if (open.empty()) wrong("a '{}' closes nothing", c);
        if (open.back() != c) wrong("a '{}' stands where a '{}' is expected", c, open.back());
        open.pop_back();
      }
      add(TokenKind::op, std::string(known));
      move(known.size());
      return;
    }
    std::size_t end = at_;
    next_code(text_, end);
    wrong("the character '{}' has no meaning here", text_.substr(at_, end - at_));
  }

  std::string text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // whether at_ is at the beginning of a line, for lstrip_blocks
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  if (!valid_utf8(source)) fail("line 1: the text is not valid UTF-8");
  return Lexer(source).run();
}

}  // namespace rung::jinja
