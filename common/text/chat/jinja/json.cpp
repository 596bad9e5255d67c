// tojson: json.dumps() with the options of transformers' filter.

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

struct Style {
  bool indented = false;
  std::string indent;  // the indentation of one level
  std::string item = ", ", key = ": ";
  bool ascii = false, sorted = false;
};

void write_escape(std::string& out, std::uint32_t c) {
  if (c >= 0x10000) {
    out +=
        fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
  } else {
    out += fmt::format("\\u{:04x}", c);
  }
}

void write_string(std::string& out, std::string_view text, bool ascii) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::uint32_t c = next_code(text, i);
    static constexpr std::string_view kFrom = "\"\\\n\r\t\f\b", kTo = "\"\\nrtfb";
    if (const std::size_t at = c < 0x80 ? kFrom.find(static_cast<char>(c)) : std::string_view::npos;
        at != std::string_view::npos) {
      out += '\\';
      out += kTo[at];
    } else if (c < 0x20 || (ascii && c > 0x7E)) {
      write_escape(out, c);
    } else {
      append_utf8(out, c);
    }
  }
  out += '"';
}

std::string number_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  return repr(d);
}

std::string member_name(const Value& key) {
  if (key.is_string()) return key.text();
  if (key.is_boolean()) return key.truth() ? "true" : "false";
  if (key.is_none()) return "null";
  if (key.is_integer()) return key.repr();
  if (key.is_real()) return number_text(key.number());
  fail("tojson: the key of a dictionary is of type {}", key.type_name());
}

class Writer {
 public:
  Writer(Run& run, const Style& style) : run_(run), style_(style) {}

  void write(const Value& v, int level) {
    run_.step();
    if (v.is_string()) {
      write_string(out, v.text(), style_.ascii);
    } else if (v.is_none()) {
      out += "null";
    } else if (v.is_boolean()) {
      out += v.truth() ? "true" : "false";
    } else if (v.is_integer()) {
      out += v.repr();
    } else if (v.is_real()) {
      out += number_text(v.number());
    } else if (v.is(SequenceKind::list) || v.is(SequenceKind::tuple)) {
      bool first = true;
      out += '[';
      for (const Value& item : v.items().values) {
        separate(first, level);
        write(item, level + 1);
      }
      close(first, level, ']');
    } else if (v.is_dict()) {
      write_dict(v.entries(), level);
    } else {
      if (v.is_undefined()) v.fail_undefined();
      fail("tojson: a value of type {} has no JSON", v.type_name());
    }
  }
  std::string out;

 private:
  void separate(bool& first, int level) {
    if (!std::exchange(first, false)) out += style_.item;
    line(level + 1);
  }
  void close(bool empty, int level, char bracket) {
    if (!empty) line(level);
    out += bracket;
  }
  void line(int level) {
    if (!style_.indented) return;
    out += '\n';
    run_.charge(style_.indent.size() * static_cast<std::size_t>(level));
    for (int i = 0; i < level; ++i) out += style_.indent;
  }
  void write_dict(const Dict& dict, int level) {
    std::vector<const std::pair<Value, Value>*> pairs;
    for (const auto& pair : dict.pairs) pairs.push_back(&pair);
    if (style_.sorted)
      std::stable_sort(pairs.begin(), pairs.end(),
                       [](const auto* a, const auto* b) { return less(a->first, b->first); });
    bool first = true;
    out += '{';
    for (const auto* pair : pairs) {
      separate(first, level);
      write_string(out, member_name(pair->first), style_.ascii);
      out += style_.key;
      write(pair->second, level + 1);
    }
    close(first, level, '}');
  }

  Run& run_;
  const Style& style_;
};

}  // namespace

std::string to_json(Run& run, const Value& value, Arguments options) {
  const Bound a("tojson", std::move(options), {"ensure_ascii?", "indent?", "separators?", "sort_keys?"});
  Style style;
  style.ascii = a.truth(0, false);
  style.sorted = a.truth(3, false);
  if (a.has(1) && !a[1].is_none()) {
    style.indented = true;
    style.item.assign(1, ',');
    if (a[1].is_string()) {
      style.indent = a.text(1);
    } else {
      const std::int64_t width = a.whole(1);
      if (width > 1000) fail("tojson: an indent of {}; at most 1000", width);
      style.indent.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
    }
  }
  if (a.has(2) && !a[2].is_none()) {
    const std::vector<Value> two = run.iterate(a[2]);
    if (two.size() != 2 || !two[0].is_string() || !two[1].is_string())
      fail("tojson: 'separators' needs two strings");
    style.item = two[0].text();
    style.key = two[1].text();
  }
  Writer writer(run, style);
  run.charge(value.weight() * (1 + style.item.size() / 2 + style.key.size() / 2));
  writer.write(value, 0);
  run.charge(writer.out.size());
  return std::move(writer.out);
}

}  // namespace rung::jinja
