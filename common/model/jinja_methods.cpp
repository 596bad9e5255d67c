// Methods of strings, lists and dictionaries.

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "model/jinja_run.hpp"
#include "model/jinja_text.hpp"

namespace rung::jinja {
namespace {

constexpr std::array<std::string_view, 38> kOfStrings = {
    "capitalize", "center",       "count",       "endswith", "expandtabs", "find",    "format",
    "index",      "isalnum",      "isalpha",     "isdigit",  "islower",    "isspace", "isupper",
    "join",       "ljust",        "lower",       "lstrip",   "partition",  "replace", "rfind",
    "rindex",     "rjust",        "rpartition",  "rsplit",   "rstrip",     "split",   "splitlines",
    "startswith", "strip",        "swapcase",    "title",    "upper",      "zfill",   "casefold",
    "encode",     "removeprefix", "removesuffix"};
constexpr std::array<std::string_view, 2> kOfSequences = {"count", "index"};
constexpr std::array<std::string_view, 5> kOfDicts = {"copy", "get", "items", "keys", "values"};
// They exist in Python, and the sandbox of transformers forbids them.
constexpr std::array<std::string_view, 8> kChangingLists = {"append", "clear",  "extend",  "insert",
                                                            "pop",    "remove", "reverse", "sort"};
constexpr std::array<std::string_view, 5> kChangingDicts = {"clear", "pop", "popitem", "setdefault",
                                                            "update"};

template <class List>
bool one_of(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

Value text_list(Run& run, const std::vector<std::string_view>& parts,
                SequenceKind kind = SequenceKind::list) {
  std::vector<Value> values;
  run.charge(parts.size() * (sizeof(Value) + 64));
  for (const std::string_view part : parts) values.push_back(Value::string(std::string(part)));
  return Value::sequence(kind, std::move(values));
}

/// split() without a separator: runs of white space.
std::vector<std::string_view> split_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> parts;
  text = strip(text, true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      std::size_t next = end;
      if (is_space(next_code(text, next))) break;
      end = next;
    }
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), true, false);
  }
  return parts;
}

/// rsplit() without a separator: the last `most` words, before them what is left.
std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> words = split_space(text, -1);
  if (most < 0 || static_cast<std::int64_t>(words.size()) <= most) return words;
  const std::size_t rest = words.size() - static_cast<std::size_t>(most);
  const std::string_view head =
      text.substr(0, static_cast<std::size_t>(words[rest - 1].data() - text.data()) + words[rest - 1].size());
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(rest));
  words.insert(words.begin(), head);
  return words;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most) {
  if (separator.empty()) fail("split() with an empty separator");
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator,
                                        std::int64_t most) {
  if (separator.empty()) fail("rsplit() with an empty separator");
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
    const std::size_t at = text.rfind(separator);
    if (at == std::string_view::npos) break;
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

/// The part of `text` between code points `begin` and `end`, as find() and its kin take them.
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
  // CPython's centre: the odd space goes left when the width is odd.
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

std::string swapped_case(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    next_code(text, i);
    const std::string_view c = text.substr(begin, i - begin);
    out += to_case(c, to_case(c, Case::upper) == c ? Case::lower : Case::upper);
  }
  return out;
}

/// str.format() with {}, {0}, {name}, {0.a}, {0[b]}; no conversions, no format specifications.
std::string format(Run& run, const std::string& text, const Arguments& arguments) {
  std::string out;
  std::size_t automatic = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += text[i++];
      continue;
    }
    if (c == '}') fail("format(): a '}}' closes nothing");
    if (c != '{') {
      out += c;
      continue;
    }
    const std::size_t end = text.find('}', i);
    if (end == std::string::npos) fail("format(): a '{{' has no end");
    std::string field = text.substr(i + 1, end - i - 1);
    i = end;
    if (field.find_first_of("!:{") != std::string::npos)
      fail("format(): '{{{}}}' is not supported; name a value only", field);
    const std::size_t rest = std::min(field.find_first_of(".["), field.size());
    const std::string first = field.substr(0, rest);
    const bool place = first.find_first_not_of("0123456789") == std::string::npos;
    Value value;
    if (place) {
      const std::size_t n = first.empty() ? automatic++ : (first.size() < 9 ? std::stoul(first) : SIZE_MAX);
      if (n >= arguments.positional.size()) fail("format(): there is no argument {}", n);
      value = arguments.positional[n];
    } else {
      const auto found = std::find_if(arguments.named.begin(), arguments.named.end(),
                                      [&](const auto& a) { return a.first == first; });
      if (found == arguments.named.end()) fail("format(): there is no argument '{}'", first);
      value = found->second;
    }
    if (rest < field.size()) fail("format(): '{{{}}}' is not supported; name a value only", field);
    out += run.text(value);
  }
  return out;
}

Value call_string(Run& run, const std::string& text, const std::string& name, Arguments arguments) {
  run.charge(text.size());
  const auto none = [&] { const Bound nothing(name, std::move(arguments), {}); };
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
    none();
    return text_list(run, split_lines(text));
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
  if (name == "format") return Value::string(format(run, text, arguments));
  if (name == "zfill") {
    const Bound a(name, std::move(arguments), {"width"});
    const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    const std::int64_t missing = a.whole(0) - static_cast<std::int64_t>(length_in_codes(text));
    if (missing > (std::int64_t{1} << 32)) fail("zfill() is asked for {} characters", a.whole(0));
    const auto zeros = static_cast<std::size_t>(std::max<std::int64_t>(missing, 0));
    run.charge(zeros);
    return Value::string(text.substr(0, sign ? 1 : 0) + std::string(zeros, '0') + text.substr(sign ? 1 : 0));
  }
  none();
  if (name == "upper") return Value::string(to_case(text, Case::upper));
  if (name == "lower" || name == "casefold") return Value::string(to_case(text, Case::lower));
  if (name == "title") return Value::string(title(text));
  if (name == "capitalize") return Value::string(capitalize(text));
  if (name == "swapcase") return Value::string(swapped_case(text));
  if (name == "isalpha") return Value::boolean(all_of_class(text, CodeClass::alpha));
  if (name == "isdigit") return Value::boolean(all_of_class(text, CodeClass::digit));
  if (name == "isalnum") return Value::boolean(all_of_class(text, CodeClass::alnum));
  if (name == "isspace") return Value::boolean(all_of_class(text, CodeClass::space));
  if (name == "isupper") return Value::boolean(all_of_class(text, CodeClass::upper));
  if (name == "islower") return Value::boolean(all_of_class(text, CodeClass::lower));
  fail("the method {}() of strings is not supported", name);
}

Value call_sequence(Run& run, const Value& list, const std::string& name, Arguments arguments) {
  const Bound a(name, std::move(arguments), {"value"});
  const std::vector<Value> values = run.iterate(list);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    run.step();
    if (!run.equals(values[i], a[0])) continue;
    if (name == "index") return Value::integer(static_cast<std::int64_t>(i));
    ++count;
  }
  if (name == "index") fail("index(): the value is not in the list");
  return Value::integer(count);
}

Value call_dict(Run& run, const Value& object, const std::string& name, Arguments arguments) {
  const Dict& dict = object.entries();
  if (name == "get") {
    const Bound a(name, std::move(arguments), {"key", "default?"});
    const Value* found = dict.find(a[0]);
    return found != nullptr ? *found : (a.has(1) ? a[1] : Value::none());
  }
  const Bound nothing(name, std::move(arguments), {});
  if (name == "copy") return object;
  std::vector<Value> values;
  run.charge(dict.pairs.size() * (2 * sizeof(Value) + 128));
  for (const auto& [key, value] : dict.pairs) {
    values.push_back(name == "keys"     ? key
                     : name == "values" ? value
                                        : Value::sequence(SequenceKind::tuple, {key, value}));
  }
  return Value::sequence(SequenceKind::view, std::move(values), "dict_" + name);
}

}  // namespace

bool would_change(const Value& object, const std::string& name) {
  return object.is_dict() ? one_of(kChangingDicts, name)
                          : object.is(SequenceKind::list) && one_of(kChangingLists, name);
}

bool has_method(const Value& object, const std::string& name) {
  if (object.is_string()) return one_of(kOfStrings, name);
  if (object.is_dict()) return one_of(kOfDicts, name);
  if (object.is(SequenceKind::list)) return one_of(kOfSequences, name) || name == "copy";
  return (object.is(SequenceKind::tuple) || object.is(SequenceKind::range)) && one_of(kOfSequences, name);
}

Value call_method(Run& run, const Value& object, const std::string& name, Arguments arguments) {
  if (object.is_string()) return call_string(run, object.text(), name, std::move(arguments));
  if (object.is_dict()) return call_dict(run, object, name, std::move(arguments));
  if (name == "copy") return object;
  return call_sequence(run, object, name, std::move(arguments));
}

}  // namespace rung::jinja
