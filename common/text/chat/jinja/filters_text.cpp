// Filters of strings.

#include <algorithm>

#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/format.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"
#include "text/chat/jinja/unicode.hpp"

namespace rung::jinja {
namespace {

void takes_nothing(const char* name, Arguments arguments) {
  const Bound none(name, std::move(arguments), {});
}

Value trim(Run& run, const Value& v, Arguments arguments) {
  const Bound a("trim", std::move(arguments), {"chars?"});
  const bool any = a.has(0) && !a[0].is_none();
  return Value::string(std::string(strip(run.text(v), true, true, any ? &a.text(0) : nullptr)));
}

Value upper(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("upper", std::move(arguments));
  return Value::string(upper_case(run.text(v)));
}
Value lower(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("lower", std::move(arguments));
  return Value::string(lower_case(run.text(v)));
}
Value capitalized(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("capitalize", std::move(arguments));
  return Value::string(capitalize(run.text(v)));
}

/// Differs from str.title(): words are separated by white space and - ( { [ <, and the first character is
/// mapped to upper case instead of title case.
Value titled(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("title", std::move(arguments));
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
  const std::string text = v.text() + "\n";  // as in Jinja2: a final newline is kept
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

Value escaped(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("escape", std::move(arguments));
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

/// The values are the positional arguments, or a dictionary of the named arguments.
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

/// Shortens a string of more than `length` + `leeway` characters to at most `length` characters, including
/// `end`. It drops an incomplete last word unless `killwords` is true.
Value truncated(Run& run, const Value& v, Arguments arguments) {
  const Bound a("truncate", std::move(arguments), {"length?", "killwords?", "end?", "leeway?"});
  const std::string end = a.has(2) ? a.text(2) : "...";
  const auto end_length = static_cast<std::int64_t>(length_in_codes(end));
  const std::int64_t length = a.whole(0, 255);
  const std::int64_t leeway = a.has(3) && !a[3].is_none() ? a.whole(3) : 5;
  if (length < end_length)
    fail("truncate: the length is {}; it must be at least {}, that of its end", length, end_length);
  if (leeway < 0) fail("truncate: the leeway is {}; it must be at least 0", leeway);
  const std::int64_t size = run.filter("length", v, {}).whole();
  if (size <= length || size - length <= leeway) return v;
  if (!v.is_string()) fail("truncate needs a string, not {}", v.type_name());
  run.charge(v.text().size());
  std::string_view kept = first_codes(v.text(), static_cast<std::size_t>(length - end_length));
  if (!a.truth(1, false)) kept = kept.substr(0, kept.rfind(' '));
  return Value::string(std::string(kept) + end);
}

/// Words are runs of letters, digits and underscores.
Value word_count(Run& run, const Value& v, Arguments arguments) {
  takes_nothing("wordcount", std::move(arguments));
  const std::string text = run.text(v);
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const bool before = std::exchange(inside, is_word(next_code(text, i)));
    words += inside && !before ? 1 : 0;
  }
  return Value::integer(words);
}

}  // namespace

Filter find_text_filter(const std::string& name) {
  static const std::unordered_map<std::string, Filter> kFilters = {{"capitalize", capitalized},
                                                                   {"center", centered},
                                                                   {"e", escaped},
                                                                   {"escape", escaped},
                                                                   {"forceescape", escaped},
                                                                   {"format", formatted},
                                                                   {"indent", indent},
                                                                   {"lower", lower},
                                                                   {"replace", replaced},
                                                                   {"title", titled},
                                                                   {"trim", trim},
                                                                   {"truncate", truncated},
                                                                   {"upper", upper},
                                                                   {"wordcount", word_count}};
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
