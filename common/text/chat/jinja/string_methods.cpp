// Methods of strings. The properties of single characters are in unicode.cpp, and case mappings are in
// case.cpp.

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

/// Every public method of Python's str.
constexpr std::array<std::string_view, 47> kOfStrings = {
    "capitalize", "casefold",     "center",       "count",   "encode",     "endswith",    "expandtabs",
    "find",       "format",       "format_map",   "index",   "isalnum",    "isalpha",     "isascii",
    "isdecimal",  "isdigit",      "isidentifier", "islower", "isnumeric",  "isprintable", "isspace",
    "istitle",    "isupper",      "join",         "ljust",   "lower",      "lstrip",      "maketrans",
    "partition",  "removeprefix", "removesuffix", "replace", "rfind",      "rindex",      "rjust",
    "rpartition", "rsplit",       "rstrip",       "split",   "splitlines", "startswith",  "strip",
    "swapcase",   "title",        "translate",    "upper",   "zfill"};

constexpr std::array<std::pair<std::string_view, std::string (*)(std::string_view)>, 6> kCases = {
    {{"capitalize", capitalize},
     {"casefold", fold_case},
     {"lower", lower_case},
     {"swapcase", swap_case},
     {"title", title_case},
     {"upper", upper_case}}};

constexpr std::array<std::pair<std::string_view, CodeClass>, 12> kClasses = {
    {{"isalnum", CodeClass::alnum},
     {"isalpha", CodeClass::alpha},
     {"isascii", CodeClass::ascii},
     {"isdecimal", CodeClass::decimal},
     {"isdigit", CodeClass::digit},
     {"isidentifier", CodeClass::identifier},
     {"islower", CodeClass::lower},
     {"isnumeric", CodeClass::numeric},
     {"isprintable", CodeClass::printable},
     {"isspace", CodeClass::space},
     {"istitle", CodeClass::title},
     {"isupper", CodeClass::upper}}};

Value text_list(Run& run, const std::vector<std::string_view>& parts,
                SequenceKind kind = SequenceKind::list) {
  std::vector<Value> values;
  run.charge(parts.size() * (sizeof(Value) + 64));
  for (const std::string_view part : parts) values.push_back(Value::string(std::string(part)));
  return Value::sequence(kind, std::move(values));
}

/// The part of `text` between two code point indices, which find() and similar methods take as arguments.
struct Part {
  std::string_view text;
  std::int64_t begin;
};
Part part_of(std::string_view text, const Bound& a, std::size_t first) {
  const auto offsets = code_offsets(text);
  const auto n = static_cast<std::int64_t>(offsets.size()) - 1;
  const auto place = [&](std::size_t i, std::int64_t otherwise) {
    if (!a.has(i) || a[i].is_none()) return otherwise;
    const std::int64_t v = a.whole(i);
    return std::max<std::int64_t>(v < 0 ? v + n : v, 0);
  };
  const std::int64_t begin = place(first, 0), end = std::min(place(first + 1, n), n);
  if (begin > end) return {{}, -1};
  const std::size_t from = offsets[static_cast<std::size_t>(begin)];
  return {text.substr(from, offsets[static_cast<std::size_t>(end)] - from), begin};
}

std::int64_t find_text(std::string_view text, const Bound& a, bool last) {
  const Part part = part_of(text, a, 1);
  if (part.begin < 0) return -1;
  const std::size_t at = last ? part.text.rfind(a.text(0)) : part.text.find(a.text(0));
  return at == std::string_view::npos
             ? -1
             : part.begin + static_cast<std::int64_t>(length_in_codes(part.text.substr(0, at)));
}

std::int64_t count_text(std::string_view text, std::string_view what) {
  if (what.empty()) return static_cast<std::int64_t>(length_in_codes(text)) + 1;
  std::int64_t n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++n;
  return n;
}

bool starts(std::string_view text, std::string_view with, bool end) {
  return text.size() >= with.size() && text.substr(end ? text.size() - with.size() : 0, with.size()) == with;
}

bool starts_or_ends(Run& run, const std::string& text, const std::string& name, Arguments arguments) {
  const Bound a(name, std::move(arguments), {"prefix", "start?", "end?"});
  const Part part = part_of(text, a, 1);
  if (part.begin < 0) return false;
  const bool end = name == "endswith";
  if (!a[0].is(SequenceKind::tuple)) return starts(part.text, a.text(0), end);
  const std::vector<Value> any = run.iterate(a[0]);
  return std::any_of(any.begin(), any.end(), [&](const Value& v) {
    if (!v.is_string()) fail("{}() needs strings, not {}", name, v.type_name());
    return starts(part.text, v.text(), end);
  });
}

std::string padded(Run& run, const std::string& text, const std::string& name, Arguments arguments) {
  const Bound a(name, std::move(arguments), {"width", "fillchar?"});
  const std::string fill = a.has(1) ? a.text(1) : " ";
  if (length_in_codes(fill) != 1) fail("{}() needs one character to fill with", name);
  const std::int64_t missing = a.whole(0) - static_cast<std::int64_t>(length_in_codes(text));
  if (missing <= 0) return text;
  // Like CPython's center(): if the number of spaces is odd, the extra space is on the left if the width is
  // odd.
  const std::int64_t left =
      name == "ljust" ? 0 : (name == "rjust" ? missing : missing / 2 + (missing & a.whole(0) & 1));
  if (missing > (std::int64_t{1} << 32)) fail("{}() is asked for {} characters", name, a.whole(0));
  run.charge(static_cast<std::size_t>(missing) * fill.size());
  std::string out;
  for (std::int64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::int64_t i = left; i < missing; ++i) out += fill;
  return out;
}

Value partition(Run& run, const std::string& text, Arguments arguments, bool last) {
  const Bound a("partition", std::move(arguments), {"separator"});
  const std::string& separator = a.text(0);
  if (separator.empty()) fail("partition() with an empty separator");
  const std::string_view all = text;
  const std::size_t at = last ? all.rfind(separator) : all.find(separator);
  if (at == std::string_view::npos)
    return text_list(
        run, last ? std::vector<std::string_view>{"", "", all} : std::vector<std::string_view>{all, "", ""},
        SequenceKind::tuple);
  return text_list(run, {all.substr(0, at), separator, all.substr(at + separator.size())},
                   SequenceKind::tuple);
}

/// str.expandtabs(): a tab advances to the next column that is a multiple of `size`. Columns count code
/// points.
std::string expanded_tabs(Run& run, std::string_view text, std::int64_t size) {
  if (size > 1000) fail("expandtabs() by {} columns; at most 1000", size);
  std::string out;
  std::int64_t column = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const std::uint32_t code = next_code(text, i);
    if (code == '\t') {
      const std::int64_t spaces = size > 0 ? size - column % size : 0;
      run.charge(static_cast<std::size_t>(spaces));
      out.append(static_cast<std::size_t>(spaces), ' ');
      column += spaces;
    } else {
      out += text.substr(begin, i - begin);
      column = code == '\n' || code == '\r' ? 0 : column + 1;
    }
  }
  return out;
}

/// Returns the entry of `table` with this name, or null if there is none.
template <class Table>
const typename Table::value_type* entry(const Table& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(), [&](const auto& e) { return e.first == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

bool is_string_method(std::string_view name) {
  return std::find(kOfStrings.begin(), kOfStrings.end(), name) != kOfStrings.end();
}

Value call_string_method(Run& run, const std::string& text, const std::string& name, Arguments arguments) {
  run.charge(text.size());
  const auto none = [&] { const Bound nothing(name, std::move(arguments), {}); };
  if (const auto* mapping = entry(kCases, name)) {
    none();
    std::string out = mapping->second(text);
    run.charge(out.size());
    return Value::string(std::move(out));
  }
  if (const auto* test = entry(kClasses, name)) {
    none();
    return Value::boolean(all_of_class(text, test->second));
  }
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    const Bound a(name, std::move(arguments), {"chars?"});
    const bool any = a.has(0) && !a[0].is_none();
    return Value::string(
        std::string(strip(text, name != "rstrip", name != "lstrip", any ? &a.text(0) : nullptr)));
  }
  if (name == "split" || name == "rsplit") {
    const Bound a(name, std::move(arguments), {"sep?", "maxsplit?"});
    const std::int64_t most = a.whole(1, -1);
    const bool space = !a.has(0) || a[0].is_none();
    if (name == "split")
      return text_list(run, space ? split_space(text, most) : split_at(text, a.text(0), most));
    return text_list(run, space ? rsplit_space(text, most) : rsplit_at(text, a.text(0), most));
  }
  if (name == "startswith" || name == "endswith")
    return Value::boolean(starts_or_ends(run, text, name, std::move(arguments)));
  if (name == "replace") {
    const Bound a(name, std::move(arguments), {"old", "new", "count?"});
    run.charge(text.size() + static_cast<std::size_t>(count_text(text, a.text(0))) * a.text(1).size());
    return Value::string(replace(text, a.text(0), a.text(1), a.whole(2, -1)));
  }
  if (name == "find" || name == "rfind" || name == "index" || name == "rindex") {
    const Bound a(name, std::move(arguments), {"sub", "start?", "end?"});
    const std::int64_t at = find_text(text, a, name[0] == 'r');
    if (at < 0 && name.find("index") != std::string::npos) fail("{}(): the text is not found", name);
    return Value::integer(at);
  }
  if (name == "count") {
    const Bound a(name, std::move(arguments), {"sub", "start?", "end?"});
    const Part part = part_of(text, a, 1);
    return Value::integer(part.begin < 0 ? 0 : count_text(part.text, a.text(0)));
  }
  if (name == "join") {
    const Bound a(name, std::move(arguments), {"values"});
    std::string out;
    bool first = true;
    for (const Value& v : run.iterate(a[0])) {
      if (!v.is_string()) fail("join() needs strings, not {}", v.type_name());
      run.charge(text.size() + v.text().size());
      if (!std::exchange(first, false)) out += text;
      out += v.text();
    }
    return Value::string(std::move(out));
  }
  if (name == "splitlines") {
    const Bound a(name, std::move(arguments), {"keepends?"});
    return text_list(run, split_lines(text, a.truth(0, false)));
  }
  if (name == "expandtabs") {
    const Bound a(name, std::move(arguments), {"tabsize?"});
    return Value::string(expanded_tabs(run, text, a.whole(0, 8)));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    const Bound a(name, std::move(arguments), {"affix"});
    const bool end = name == "removesuffix";
    if (!starts(text, a.text(0), end)) return Value::string(text);
    return Value::string(text.substr(end ? 0 : a.text(0).size(), text.size() - a.text(0).size()));
  }
  if (name == "ljust" || name == "rjust" || name == "center")
    return Value::string(padded(run, text, name, std::move(arguments)));
  if (name == "partition" || name == "rpartition")
    return partition(run, text, std::move(arguments), name[0] == 'r');
  if (name == "format") return Value::string(brace_format(run, text, arguments));
  if (name == "format_map") {
    const Bound a(name, std::move(arguments), {"mapping"});
    if (!a[0].is_dict()) fail("format_map() needs a dictionary, not {}", a[0].type_name());
    Arguments named;
    for (const auto& [key, value] : a[0].entries().pairs) {
      if (key.is_string()) named.named.emplace_back(key.text(), value);
    }
    return Value::string(brace_format(run, text, named));
  }
  if (name == "zfill") {
    const Bound a(name, std::move(arguments), {"width"});
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    const std::int64_t missing = a.whole(0) - static_cast<std::int64_t>(length_in_codes(text));
    if (missing > (std::int64_t{1} << 32)) fail("zfill() is asked for {} characters", a.whole(0));
    const auto zeros = static_cast<std::size_t>(std::max<std::int64_t>(missing, 0));
    run.charge(zeros);
    return Value::string(text.substr(0, sign ? 1 : 0) + std::string(zeros, '0') + text.substr(sign ? 1 : 0));
  }
  fail("the method {}() of strings is not supported", name);
}

}  // namespace rung::jinja
