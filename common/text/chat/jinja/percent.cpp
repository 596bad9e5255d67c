// The operator % of strings.

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/chat/jinja/format.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

/// %[(key)][flags][width][.precision]type
struct Conversion {
  std::optional<std::string> key;
  bool left = false, zero = false, alternate = false, plus = false, blank = false;
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = '\0';
};

/// Formats a format string from left to right and consumes one value per conversion.
class PercentFormat {
 public:
  PercentFormat(Run& run, std::string_view format, const Value& values)
      : run_(run), format_(format), values_(values) {
    if (values.is(SequenceKind::tuple)) {
      positional_ = run.iterate(values);
    } else {
      positional_ = {values};
    }
  }

  std::string text() {
    std::string out;
    while (at_ < format_.size()) {
      const std::size_t percent = std::min(format_.find('%', at_), format_.size());
      out += format_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ == format_.size()) break;
      ++at_;
      if (peek() == '%') {
        ++at_;
        out += '%';
      } else {
        out += converted(read());
      }
    }
    // Python treats every value with items as a mapping, and a mapping may have entries that the format does
    // not use.
    const bool may_stay = values_.is_dict() || values_.is_undefined() || values_.is(SequenceKind::list) ||
                          values_.is(SequenceKind::range);
    if (used_ < positional_.size() && !may_stay) fail("the format does not use all values");
    return out;
  }

 private:
  char peek() const {
    if (at_ >= format_.size()) fail("a format ends inside of '%'");
    return format_[at_];
  }

  Conversion read() {
    Conversion c;
    if (peek() == '(') c.key = key();
    for (;; ++at_) {
      if (peek() == '-') {
        c.left = true;
      } else if (peek() == '0') {
        c.zero = true;
      } else if (peek() == '#') {
        c.alternate = true;
      } else if (peek() == '+') {
        c.plus = true;
      } else if (peek() == ' ') {
        c.blank = true;
      } else {
        break;
      }
    }
    c.width = number();
    if (c.width < 0) {
      c.left = true;
      c.width = -c.width;
    }
    if (peek() == '.') {
      ++at_;
      c.precision = std::max<std::int64_t>(number(), 0);
    }
    if (peek() == 'h' || peek() == 'l' || peek() == 'L') ++at_;
    c.type = peek();
    ++at_;
    return c;
  }

  /// Reads (name), which may contain nested parentheses.
  std::string key() {
    const std::size_t begin = ++at_;
    for (int open = 1; open > 0; ++at_) {
      if (at_ >= format_.size()) fail("a format has a '%(' without its ')'");
      open += format_[at_] == '(' ? 1 : (format_[at_] == ')' ? -1 : 0);
    }
    if (!values_.is_dict()) fail("'%(name)' needs a dictionary");
    used_ = positional_.size();  // after a key, no conversion can consume the dictionary itself
    return std::string(format_.substr(begin, at_ - 1 - begin));
  }

  /// Reads a width or a precision: digits, or "*" for the next value.
  std::int64_t number() {
    std::int64_t n = 0;
    if (peek() == '*') {
      ++at_;
      const Value value = next();
      if (!value.is_whole()) fail("'*' in a format needs a whole number, not {}", value.type_name());
      n = value.whole();
    } else {
      for (; is_ascii_digit(peek()); ++at_) n = std::min(n * 10 + (peek() - '0'), kMostFormatWidth + 1);
    }
    if (n > kMostFormatWidth || n < -kMostFormatWidth)
      fail("a format asks for a width or precision above {}", kMostFormatWidth);
    return n;
  }

  Value next() {
    if (used_ >= positional_.size())
      fail("the format asks for more values than the {} given", positional_.size());
    return positional_[used_++];
  }

  Value named(const std::string& name) {
    const Value* const found = values_.entries().find(name);
    if (found == nullptr) fail("the format names '{}', which the dictionary does not have", name);
    return *found;
  }

  std::string converted(const Conversion& c) {
    const Value value = c.key ? named(*c.key) : next();
    const char align = c.left ? '<' : '>';
    const auto width = static_cast<std::size_t>(c.width);
    if (std::string_view("sra").find(c.type) != std::string_view::npos) {
      run_.charge(value.weight());
      std::string text = c.type == 's' ? value.str() : value.repr(c.type == 'a');
      if (c.precision >= 0) text = first_codes(text, static_cast<std::size_t>(c.precision));
      return aligned(run_, text, " ", align, width);
    }
    if (c.type == 'c') return aligned(run_, one_character(value), " ", align, width);
    NumberText number = as_number(c, value);
    // Zeros between the sign and the digits pad a number unless it is left-aligned.
    const std::size_t used = number.sign.size() + number.prefix.size() + number.digits.size();
    if (c.zero && !c.left && width > used) {
      run_.charge(width);
      number.digits.insert(0, width - used, '0');
    }
    return aligned(run_, number.sign + number.prefix + number.digits, " ", align, width);
  }

  static std::string one_character(const Value& value) {
    if (value.is_whole()) return character(value.whole());
    if (value.is_string() && length_in_codes(value.text()) == 1) return value.text();
    fail("'%c' needs a whole number or one character, not {}",
         value.is_string() ? "a text" : value.type_name());
  }

  static NumberText as_number(const Conversion& c, const Value& value) {
    if (std::string_view("diuoxXeEfFgG").find(c.type) == std::string_view::npos)
      fail("'%{}' is not known in a format", c.type);
    if (value.is_undefined()) value.fail_undefined();
    if (!value.is_number()) fail("'%{}' needs a number, not {}", c.type, value.type_name());
    const char positive = c.plus ? '+' : (c.blank ? ' ' : '-');
    if (std::string_view("eEfFgG").find(c.type) != std::string_view::npos)
      return real_text(value.number(), {c.type, positive, c.alternate, static_cast<int>(c.precision)});
    const bool decimal = std::string_view("diu").find(c.type) != std::string_view::npos;
    if (value.is_real() && (!decimal || !std::isfinite(value.number())))
      fail("'%{}' needs a whole number, not {}", c.type, value.repr());
    NumberText text;
    if (value.is_real()) {
      const double whole = std::trunc(value.number());
      text = real_text(whole == 0 ? 0.0 : whole, {'f', positive, false, 0});  // integers have no -0
    } else {
      text = whole_text(value.whole(), {decimal ? 'd' : c.type, positive, c.alternate, -1});
    }
    const auto digits = static_cast<std::size_t>(std::max<std::int64_t>(c.precision, 0));
    if (text.digits.size() < digits) text.digits.insert(0, digits - text.digits.size(), '0');
    return text;
  }

  Run& run_;
  std::string_view format_;
  const Value& values_;
  std::vector<Value> positional_;
  std::size_t at_ = 0, used_ = 0;
};

}  // namespace

std::string percent_format(Run& run, const std::string& format, const Value& values) {
  run.charge(format.size());
  return PercentFormat(run, format, values).text();
}

}  // namespace rung::jinja
