// str.format(): replacement fields in braces, and their format specifications.

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/ascii.hpp"
#include "core/error.hpp"
#include "text/chat/jinja/format.hpp"
#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

/// [[fill]align][sign][#][0][width][group][.precision][type]. Fields that are absent are '\0' or -1.
struct FormatSpec {
  std::string fill;
  char align = '\0', sign = '\0', group = '\0', type = '\0';
  bool alternate = false, zero = false;
  std::int64_t width = -1, precision = -1;
};

/// Removes decimal digits of any script from the front and returns their value, or -1 if there are none.
std::int64_t take_digits(std::string_view& text) {
  std::int64_t n = -1;
  while (!text.empty()) {
    std::size_t end = 0;
    const int digit = decimal_value(next_code(text, end));
    if (digit < 0) break;
    n = std::min(std::max<std::int64_t>(n, 0) * 10 + digit, std::int64_t{1} << 40);
    text.remove_prefix(end);
  }
  return n;
}

bool take(std::string_view& text, std::string_view any, char& taken) {
  if (text.empty() || any.find(text[0]) == std::string_view::npos) return false;
  taken = text[0];
  text.remove_prefix(1);
  return true;
}

FormatSpec parse_spec(std::string_view text) {
  FormatSpec spec;
  const std::string_view whole = text;
  char mark = '\0';
  if (std::size_t first = 0; !text.empty()) {
    next_code(text, first);
    std::string_view behind = text.substr(first);
    if (take(behind, "<>=^", spec.align)) {
      spec.fill = text.substr(0, first);
      text = behind;
    } else {
      take(text, "<>=^", spec.align);
    }
  }
  take(text, "+- ", spec.sign);
  spec.alternate = take(text, "#", mark);
  spec.zero = take(text, "0", mark);
  spec.width = take_digits(text);
  take(text, ",_", spec.group);
  if (take(text, ".", mark)) {
    spec.precision = take_digits(text);
    if (spec.precision < 0) fail("format(): the specification '{}' has a point without a precision", whole);
  }
  if (spec.width > kMostFormatWidth || spec.precision > kMostFormatWidth)
    fail("format(): the specification '{}' asks for more than {}", whole, kMostFormatWidth);
  if (!text.empty() && !take(text, "bcdeEfFgGnosxX%", spec.type))
    fail("format(): the specification '{}' is not known", whole);
  if (!text.empty()) fail("format(): the specification '{}' has something behind its type", whole);
  return spec;
}

std::string text_by(Run& run, const std::string& text, const FormatSpec& spec) {
  if (spec.sign != '\0' || spec.alternate || spec.group != '\0' || spec.align == '=' ||
      (spec.type != '\0' && spec.type != 's'))
    fail("format(): a text has a specification that is for numbers");
  const std::string_view shown = spec.precision < 0
                                     ? std::string_view(text)
                                     : first_codes(text, static_cast<std::size_t>(spec.precision));
  const std::string fill = !spec.fill.empty() ? spec.fill : (spec.zero ? "0" : " ");
  return aligned(run, shown, fill, spec.align == '\0' ? '<' : spec.align,
                 static_cast<std::size_t>(std::max<std::int64_t>(spec.width, 0)));
}

/// The digits of a number whose specification has no type. They are those of repr(), or `precision` digits if
/// a precision is given. The result always contains a point or an exponent.
std::string untyped_digits(double size, const FormatSpec& spec) {
  std::string digits = spec.precision < 0
                           ? repr(size)
                           : general_digits(size, static_cast<int>(spec.precision), spec.alternate, 1);
  if (spec.alternate) digits = with_point(std::move(digits));
  return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
}

NumberText real_by(double value, const FormatSpec& spec) {
  const char positive = spec.sign == '\0' ? '-' : spec.sign;
  const auto precision = static_cast<int>(spec.precision);
  if (spec.type == '%') {
    NumberText text = real_text(value * 100, {'f', positive, spec.alternate, precision});
    text.digits += '%';
    return text;
  }
  const char type = spec.type == '\0' || spec.type == 'n' ? 'g' : spec.type;
  NumberText text = real_text(value, {type, positive, spec.alternate, precision});
  if (spec.type == '\0' && std::isfinite(value)) text.digits = untyped_digits(std::fabs(value), spec);
  return text;
}

/// Groups the digits before the point, and prepends zeros until the result has `width` characters.
std::string grouped(std::string digits, char group, std::size_t every, std::size_t width) {
  std::size_t end = 0;
  const int base = every == 4 ? 16 : 10;
  while (end < digits.size() && is_digit_of_base(digits[end], base)) ++end;
  const std::string rest = digits.substr(end);
  digits.resize(end);
  if (digits.empty()) return rest;
  std::size_t count = digits.size();
  while (count + (count - 1) / every + rest.size() < width) ++count;
  digits.insert(0, count - digits.size(), '0');
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && (count - i) % every == 0) out += group;
    out += digits[i];
  }
  return out + rest;
}

std::string number_by(Run& run, const Value& value, const FormatSpec& spec) {
  const bool real = value.is_real() || std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos;
  const bool digits_of_8 =
      std::string_view("boxX").find(spec.type) != std::string_view::npos && spec.type != '\0';
  const std::string_view known = value.is_real() ? "eEfFgGn%" : "bcdeEfFgGnoxX%";
  if (spec.type != '\0' && known.find(spec.type) == std::string_view::npos)
    fail("format(): the type '{}' does not suit a value of type {}", spec.type, value.type_name());
  if (!real && spec.precision >= 0) fail("format(): a whole number has no precision");
  if (spec.group != '\0' && (spec.type == 'n' || spec.type == 'c' || (spec.group == ',' && digits_of_8)))
    fail("format(): '{}' cannot stand with '{}'", spec.group, spec.type);
  const auto width = static_cast<std::size_t>(std::max<std::int64_t>(spec.width, 0));
  const std::string fill = !spec.fill.empty() ? spec.fill : (spec.zero ? "0" : " ");
  const char align = spec.align != '\0' ? spec.align : (spec.zero ? '=' : '>');
  if (spec.type == 'c') {
    if (spec.sign != '\0' || spec.alternate) fail("format(): a character has no sign and no '#'");
    return aligned(run, character(value.whole()), fill, align == '=' ? '>' : align, width);
  }
  NumberText text;
  if (real) {
    text = real_by(value.number(), spec);
  } else {
    const char type = spec.type == '\0' || spec.type == 'n' ? 'd' : spec.type;
    text = whole_text(value.whole(), {type, spec.sign == '\0' ? '-' : spec.sign, spec.alternate, -1});
  }
  const std::string before = text.sign + text.prefix;
  const std::size_t left = width > before.size() ? width - before.size() : 0;
  run.charge(width + text.digits.size() * 2);
  if (spec.group != '\0')
    text.digits =
        grouped(text.digits, spec.group, digits_of_8 ? 4 : 3, fill == "0" && align == '=' ? left : 0);
  if (align == '=') return before + aligned(run, text.digits, fill, '>', left);
  return aligned(run, before + text.digits, fill, align, width);
}

std::string value_by(Run& run, const Value& value, std::string_view spec) {
  if (spec.empty()) return run.text(value);
  if (value.is_string()) return text_by(run, value.text(), parse_spec(spec));
  if (value.is_number()) return number_by(run, value, parse_spec(spec));
  fail("format(): a value of type {} takes no specification such as '{}'", value.type_name(), spec);
}

/// Formats a format string from left to right.
class BraceFormat {
 public:
  BraceFormat(Run& run, const Arguments& arguments) : run_(run), arguments_(arguments) {}

  std::string text(std::string_view format, int depth = 0) {
    if (depth > 1) fail("format(): fields are nested more than twice");
    std::string out;
    for (std::size_t i = 0; i < format.size();) {
      const char c = format[i++];
      if (c != '{' && c != '}') {
        out += c;
      } else if (i < format.size() && format[i] == c) {
        out += format[i++];
      } else if (c == '}') {
        fail("format(): a '}}' closes nothing");
      } else {
        out += field(format, i, depth);
      }
    }
    return out;
  }

 private:
  /// Formats one field: name[!conversion][:specification]}. Its first character is format[i].
  std::string field(std::string_view format, std::size_t& i, int depth) {
    const auto peek = [&] { return i < format.size() ? format[i] : '\0'; };
    const std::size_t begin = i;
    for (; i < format.size() && peek() != '}' && peek() != ':' && peek() != '!'; ++i) {
      if (peek() == '{') fail("format(): a '{{' stands inside of the name of a field");
      if (peek() == '[') i = std::min(format.find(']', i), format.size() - 1);
    }
    Value value = named(format.substr(begin, i - begin));
    if (peek() == '!') {
      const char conversion = ++i < format.size() ? format[i++] : '\0';
      if (conversion != 'r' && conversion != 's' && conversion != 'a')
        fail("format(): the conversions are !r, !s and !a");
      run_.charge(value.weight());
      value = Value::string(conversion == 's' ? value.str() : value.repr(conversion == 'a'));
      if (peek() != ':' && peek() != '}') fail("format(): a ':' or '}}' is expected behind a conversion");
    }
    if (i >= format.size()) fail("format(): a '{{' has no end");
    if (format[i++] == '}') return value_by(run_, value, {});
    const std::size_t spec = i;
    for (int open = 1; open > 0; ++i) {
      if (i >= format.size()) fail("format(): a '{{' has no end");
      open += format[i] == '{' ? 1 : (format[i] == '}' ? -1 : 0);
    }
    return value_by(run_, value, text(format.substr(spec, i - 1 - spec), depth + 1));
  }

  /// Returns the value of a field name such as "0", "", "name", "name.attribute" or "name[key]".
  Value named(std::string_view name) {
    std::string counted;
    if (name.empty() ? given_ : counted_ > 0 && place_of(name))
      fail("format(): fields with a number and fields without one cannot be mixed");
    given_ = given_ || place_of(name);
    if (name.empty()) name = counted = fmt::format("{}", counted_++);
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, end));
    name.remove_prefix(end);
    while (!name.empty()) {
      if (name[0] == '.') {
        const std::size_t next = std::min(name.find_first_of(".[", 1), name.size());
        if (next == 1) fail("format(): an attribute has no name");
        value = run_.attribute(value, std::string(name.substr(1, next - 1)));
        name.remove_prefix(next);
      } else {
        const std::size_t close = name.find(']');
        if (close == std::string_view::npos || close == 1) fail("format(): a '[' has no key or no ']'");
        std::string_view key = name.substr(1, close - 1);
        const std::optional<std::int64_t> place = place_of(key);
        value = run_.item(value, place ? Value::integer(*place) : Value::string(std::string(key)));
        name.remove_prefix(close + 1);
        if (!name.empty() && name[0] != '.' && name[0] != '[')
          fail("format(): only '.' or '[' may follow a ']'");
      }
    }
    return value;
  }

  /// Returns the number that `name` consists of, or nothing if it is not a number.
  static std::optional<std::int64_t> place_of(std::string_view name) {
    const std::int64_t place = take_digits(name);
    return name.empty() && place >= 0 ? std::optional(place) : std::nullopt;
  }

  Value argument(std::string_view name) {
    if (const std::optional<std::int64_t> place = place_of(name)) {
      if (*place >= static_cast<std::int64_t>(arguments_.positional.size()))
        fail("format(): there is no argument {}", *place);
      return arguments_.positional[static_cast<std::size_t>(*place)];
    }
    const auto found = std::find_if(arguments_.named.begin(), arguments_.named.end(),
                                    [&](const auto& a) { return a.first == name; });
    if (found == arguments_.named.end()) fail("format(): there is no argument '{}'", name);
    return found->second;
  }

  Run& run_;
  const Arguments& arguments_;
  std::int64_t counted_ = 0;  // number of fields without a number so far
  bool given_ = false;        // whether a field was a number without attributes
};

}  // namespace

std::string brace_format(Run& run, const std::string& format, const Arguments& arguments) {
  run.charge(format.size());
  return BraceFormat(run, arguments).text(format);
}

}  // namespace rung::jinja
