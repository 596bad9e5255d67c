// Filters of one value: text, numbers, defaults. Those of sequences are in jinja_filters_sequence.cpp.

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.hpp"
#include "model/jinja_case.hpp"
#include "model/jinja_numbers.hpp"
#include "model/jinja_run.hpp"
#include "model/jinja_text.hpp"
#include "model/jinja_unicode.hpp"

namespace rung::jinja {
namespace {

void no_arguments(const char* name, Arguments arguments) { const Bound none(name, std::move(arguments), {}); }

Value trim(Run& run, const Value& v, Arguments arguments) {
  const Bound a("trim", std::move(arguments), {"chars?"});
  const bool any = a.has(0) && !a[0].is_none();
  return Value::string(std::string(strip(run.text(v), true, true, any ? &a.text(0) : nullptr)));
}

Value upper(Run& run, const Value& v, Arguments arguments) {
  no_arguments("upper", std::move(arguments));
  return Value::string(upper_case(run.text(v)));
}
Value lower(Run& run, const Value& v, Arguments arguments) {
  no_arguments("lower", std::move(arguments));
  return Value::string(lower_case(run.text(v)));
}
Value capitalized(Run& run, const Value& v, Arguments arguments) {
  no_arguments("capitalize", std::move(arguments));
  return Value::string(capitalize(run.text(v)));
}

/// Unlike str.title(): words lie between runs of white space and - ( { [ <, and the first character gets its
/// upper case, not its title case.
Value titled(Run& run, const Value& v, Arguments arguments) {
  no_arguments("title", std::move(arguments));
  const std::string text = run.text(v);
  std::string out;
  const auto separates = [](std::uint32_t c) {
    return is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
  };
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t initial = next_code(text, i);
    append_upper(out, initial);
    if (separates(initial)) continue;
    const std::size_t begin = i;
    std::size_t end = i;
    while (i < text.size() && !separates(next_code(text, i))) end = i;
    out += lower_case(std::string_view(text).substr(begin, end - begin));
    i = end;
  }
  run.charge(out.size());
  return Value::string(std::move(out));
}

Value replaced(Run& run, const Value& v, Arguments arguments) {
  const Bound a("replace", std::move(arguments), {"old", "new", "count?"});
  const std::string text = run.text(v), old = run.text(a[0]), now = run.text(a[1]);
  const std::int64_t count = a.has(2) && !a[2].is_none() ? a.whole(2) : -1;
  run.charge((text.size() / std::max<std::size_t>(old.size(), 1) + 1) * now.size());
  return Value::string(replace(text, old, now, count));
}

Value indent(Run& run, const Value& v, Arguments arguments) {
  const Bound a("indent", std::move(arguments), {"width?", "first?", "blank?"});
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_string()) fail("indent needs a string, not {}", v.type_name());
  std::string by(4, ' ');
  if (a.has(0) && a[0].is_string()) {
    by = a.text(0);
  } else if (a.has(0)) {
    if (a.whole(0) > 10'000) fail("indent by {}; at most 10000", a.whole(0));
    by.assign(static_cast<std::size_t>(std::max<std::int64_t>(a.whole(0), 0)), ' ');
  }
  const std::string text = v.text() + "\n";  // as Jinja2 does: a text that ends in a newline keeps it
  const auto lines = split_lines(text);
  run.charge(lines.size() * (by.size() + 1) + text.size());
  std::string out = a.truth(1, false) ? by : std::string();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\n";
    if (i > 0 && (a.truth(2, false) || !lines[i].empty())) out += by;
    out += lines[i];
  }
  return Value::string(std::move(out));
}

Value with_default(Run&, const Value& v, Arguments arguments) {
  const Bound a("default", std::move(arguments), {"default_value?", "boolean?"});
  if (!v.is_undefined() && (!a.truth(1, false) || v.truth())) return v;
  return a.has(0) ? a[0] : Value::string("");
}

Value length(Run&, const Value& v, Arguments arguments) {
  no_arguments("length", std::move(arguments));
  const auto count = [](std::size_t n) { return Value::integer(static_cast<std::int64_t>(n)); };
  if (v.is_undefined()) return count(0);
  if (v.is_string()) return count(length_in_codes(v.text()));
  if (v.is_dict()) return count(v.entries().pairs.size());
  if (v.is_sequence() && !v.is(SequenceKind::iterator)) return count(v.items().values.size());
  fail("a value of type {} has no length{}", v.type_name(),
       v.is_sequence() ? "; put '| list' before it" : "");
}

Value as_string(Run& run, const Value& v, Arguments arguments) {
  no_arguments("string", std::move(arguments));
  return v.is_string() ? v : Value::string(run.text(v));
}

std::optional<double> real_of(const Value& v) {
  if (v.is_number()) return v.number();
  return v.is_string() ? parse_real(v.text()) : std::nullopt;
}

Value as_whole(Run& run, const Value& v, Arguments arguments) {
  const Bound a("int", std::move(arguments), {"default?", "base?"});
  if (v.is_undefined()) v.fail_undefined();
  if (v.is_whole()) return Value::integer(v.whole());
  if (v.is_string()) {
    run.charge(v.text().size());
    const std::int64_t base = a.whole(1, 10);
    if (base != 0 && (base < 2 || base > 36))
      fail("int: the base is {}; it must be from 2 to 36, or 0 for the one that the number's prefix names",
           base);
    if (const auto whole = parse_whole(v.text(), static_cast<int>(base))) return Value::integer(*whole);
  }
  const auto real = real_of(v);
  if (!real || std::isnan(*real) || std::isinf(*real)) return a.has(0) ? a[0] : Value::integer(0);
  constexpr double kLimit = 9223372036854775808.0;  // 2 to the power of 63
  if (*real < -kLimit || *real >= kLimit) fail("int: {} does not fit 64 bits", *real);
  return Value::integer(static_cast<std::int64_t>(*real));
}

Value as_real(Run& run, const Value& v, Arguments arguments) {
  const Bound a("float", std::move(arguments), {"default?"});
  if (v.is_undefined()) v.fail_undefined();
  if (v.is_string()) run.charge(v.text().size());
  const auto real = real_of(v);
  return real ? Value::real(*real) : (a.has(0) ? a[0] : Value::real(0));
}

Value absolute(Run& run, const Value& v, Arguments arguments) {
  no_arguments("abs", std::move(arguments));
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_number()) fail("abs needs a number, not {}", v.type_name());
  if (v.is_real()) return Value::real(std::fabs(v.number()));
  return v.whole() < 0 ? arithmetic(run, "-", Value::integer(0), v) : Value::integer(v.whole());
}

Value rounded(Run&, const Value& v, Arguments arguments) {
  const Bound a("round", std::move(arguments), {"precision?", "method?"});
  const std::int64_t precision = a.whole(0, 0);
  const std::string method = a.has(1) ? a.text(1) : "common";
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_number()) fail("round needs a number, not {}", v.type_name());
  if (precision < 0 || precision > 300)
    fail("round: the precision is {}; it must be from 0 to 300", precision);
  if (method == "ceil" || method == "floor") {
    const double scale = std::pow(10.0, static_cast<double>(precision));
    const double scaled = v.number() * scale;
    return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
  }
  if (method != "common") fail("round: the method is '{}'; it must be common, ceil or floor", method);
  if (v.is_whole()) return Value::integer(v.whole());
  if (!std::isfinite(v.number())) return v;
  // The decimal text is exact and rounds half to even, as Python's round() does.
  const std::string digits = fmt::format("{:.{}f}", std::fabs(v.number()), precision);
  return Value::real(std::copysign(nearest_real(digits), v.number()));
}

Value escaped(Run& run, const Value& v, Arguments arguments) {
  no_arguments("escape", std::move(arguments));
  std::string out;
  for (const char c : run.text(v)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  run.charge(out.size());
  return Value::string(std::move(out));
}

Value json(Run& run, const Value& v, Arguments arguments) {
  return Value::string(to_json(run, v, std::move(arguments)));
}

/// The values are those without a name, or a dictionary of those with one.
Value formatted(Run& run, const Value& v, Arguments arguments) {
  if (!arguments.named.empty() && !arguments.positional.empty())
    fail("format takes arguments with names or without, not both");
  if (arguments.named.empty())
    return Value::string(percent_format(
        run, run.text(v), Value::sequence(SequenceKind::tuple, std::move(arguments.positional))));
  Dict named;
  for (auto& [name, value] : arguments.named) named.set(Value::string(name), std::move(value));
  return Value::string(percent_format(run, run.text(v), Value::dict(std::move(named))));
}

Value centered(Run& run, const Value& v, Arguments arguments) {
  const Bound a("center", std::move(arguments), {"width?"});
  return call_method(run, Value::string(run.text(v)), "center", {{Value::integer(a.whole(0, 80))}, {}});
}

}  // namespace

Filter find_filter(const std::string& name) {
  static const std::unordered_map<std::string, Filter> kFilters = {
      {"abs", absolute},     {"capitalize", capitalized},
      {"center", centered},  {"count", length},
      {"d", with_default},   {"default", with_default},
      {"e", escaped},        {"escape", escaped},
      {"float", as_real},    {"forceescape", escaped},
      {"format", formatted}, {"indent", indent},
      {"int", as_whole},     {"length", length},
      {"lower", lower},      {"replace", replaced},
      {"round", rounded},    {"safe", as_string},
      {"string", as_string}, {"title", titled},
      {"tojson", json},      {"trim", trim},
      {"upper", upper}};
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
