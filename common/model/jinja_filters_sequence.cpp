// Filters of sequences. map, select and their kin give iterators, as in Python: they can be walked once.

#include <algorithm>

#include "core/error.hpp"
#include "model/jinja_case.hpp"
#include "model/jinja_run.hpp"

namespace rung::jinja {
namespace {

Value iterator(std::vector<Value> values) {
  return Value::sequence(SequenceKind::iterator, std::move(values));
}

/// "a.b.0": an item of an item of an item. An absent attribute is the value itself.
class Getter {
 public:
  explicit Getter(const Value& path) {
    if (path.is_none() || path.is_undefined()) return;
    if (!path.is_string()) {
      parts_.push_back(path);
      return;
    }
    std::string_view rest = path.text();
    for (bool last = false; !last;) {
      const std::size_t dot = rest.find('.');
      last = dot == std::string_view::npos;
      const std::string part(rest.substr(0, dot));
      const bool place =
          !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == std::string::npos;
      parts_.push_back(place ? Value::integer(std::stoll(part)) : Value::string(part));
      if (!last) rest.remove_prefix(dot + 1);
    }
  }
  Value operator()(Run& run, Value value, const Value* otherwise = nullptr) const {
    for (const Value& part : parts_) {
      value = run.item(value, part);
      if (otherwise != nullptr && value.is_undefined()) value = *otherwise;
    }
    return value;
  }

 private:
  std::vector<Value> parts_;
};

Value without_case(const Value& v, bool case_sensitive) {
  return v.is_string() && !case_sensitive ? Value::string(lower_case(v.text())) : v;
}

/// Sorts by keys; equal ones keep their order, also when reversed.
std::vector<Value> sorted(Run& run, std::vector<std::pair<Value, Value>> keyed, bool reverse) {
  const auto cost = static_cast<std::int64_t>(keyed.size());
  for (std::int64_t n = cost; n > 0; n /= 2) run.step(cost);
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    run.charge(std::min(a.first.weight(), b.first.weight()) / 16);
    return less(a.first, b.first);
  });
  if (reverse) std::reverse(keyed.begin(), keyed.end());
  std::vector<Value> values;
  for (auto& [key, value] : keyed) values.push_back(std::move(value));
  return values;
}

Value sort(Run& run, const Value& v, Arguments arguments) {
  const Bound a("sort", std::move(arguments), {"reverse?", "case_sensitive?", "attribute?"});
  std::vector<Getter> getters;
  if (a.has(2) && a[2].is_string()) {
    std::string_view rest = a[2].text();
    for (bool last = false; !last;) {
      const std::size_t comma = rest.find(',');
      last = comma == std::string_view::npos;
      getters.emplace_back(Value::string(std::string(rest.substr(0, comma))));
      if (!last) rest.remove_prefix(comma + 1);
    }
  } else {
    getters.emplace_back(a[2]);
  }
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& value : run.iterate(v)) {
    std::vector<Value> key;
    for (const Getter& getter : getters) key.push_back(without_case(getter(run, value), a.truth(1, false)));
    keyed.emplace_back(Value::list(std::move(key)), std::move(value));
  }
  return Value::list(sorted(run, std::move(keyed), a.truth(0, false)));
}

Value dictsort(Run& run, const Value& v, Arguments arguments) {
  const Bound a("dictsort", std::move(arguments), {"case_sensitive?", "by?", "reverse?"});
  const std::string by = a.has(1) ? a.text(1) : "key";
  if (by != "key" && by != "value") fail("dictsort sorts by 'key' or 'value', not '{}'", by);
  if (v.is_undefined()) v.fail_undefined();
  if (!v.is_dict()) fail("dictsort needs a dictionary, not {}", v.type_name());
  std::vector<std::pair<Value, Value>> keyed;
  for (const auto& [key, value] : v.entries().pairs) {
    keyed.emplace_back(without_case(by == "key" ? key : value, a.truth(0, false)),
                       Value::sequence(SequenceKind::tuple, {key, value}));
  }
  return Value::list(sorted(run, std::move(keyed), a.truth(2, false)));
}

Value unique(Run& run, const Value& v, Arguments arguments) {
  const Bound a("unique", std::move(arguments), {"case_sensitive?", "attribute?"});
  const Getter getter(a[1]);
  Dict seen;
  std::vector<Value> out;
  for (Value& value : run.iterate(v)) {
    const Value key = without_case(getter(run, value), a.truth(0, false));
    run.charge(key.weight() + 64);
    if (seen.find(key) != nullptr) continue;
    seen.set(key, Value::none());
    out.push_back(std::move(value));
  }
  return iterator(std::move(out));
}

Value extreme(Run& run, const Value& v, Arguments arguments, bool largest) {
  const Bound a(largest ? "max" : "min", std::move(arguments), {"case_sensitive?", "attribute?"});
  const Getter getter(a[1]);
  Value best = Value::undefined("No aggregated item, sequence was empty."), best_key;
  bool first = true;
  for (Value& value : run.iterate(v)) {
    const Value key = without_case(getter(run, value), a.truth(0, false));
    if (std::exchange(first, false) || (largest ? less(best_key, key) : less(key, best_key))) {
      best = std::move(value);
      best_key = key;
    }
  }
  return best;
}
Value smallest(Run& run, const Value& v, Arguments a) { return extreme(run, v, std::move(a), false); }
Value largest(Run& run, const Value& v, Arguments a) { return extreme(run, v, std::move(a), true); }

Value sum(Run& run, const Value& v, Arguments arguments) {
  const Bound a("sum", std::move(arguments), {"attribute?", "start?"});
  const Getter getter(a[0]);
  Value total = a.has(1) ? a[1] : Value::integer(0);
  if (total.is_string()) fail("sum cannot add strings; use join");
  for (Value& value : run.iterate(v)) total = arithmetic(run, "+", total, getter(run, std::move(value)));
  return total;
}

Value join(Run& run, const Value& v, Arguments arguments) {
  const Bound a("join", std::move(arguments), {"d?", "attribute?"});
  const std::string separator = a.has(0) ? run.text(a[0]) : "";
  const Getter getter(a[1]);
  std::string out;
  bool first = true;
  for (Value& value : run.iterate(v)) {
    run.charge(separator.size());
    if (!std::exchange(first, false)) out += separator;
    out += run.text(getter(run, std::move(value)));
  }
  return Value::string(std::move(out));
}

Value as_list(Run& run, const Value& v, Arguments arguments) {
  const Bound none("list", std::move(arguments), {});
  return Value::list(run.iterate(v));
}

Value items(Run& run, const Value& v, Arguments arguments) {
  const Bound none("items", std::move(arguments), {});
  if (v.is_undefined()) return iterator({});
  if (!v.is_dict()) fail("items needs a dictionary, not {}", v.type_name());
  return iterator(run.iterate(call_method(run, v, "items", {})));
}

Value first(Run& run, const Value& v, Arguments arguments) {
  const Bound none("first", std::move(arguments), {});
  std::vector<Value> values = run.iterate(v);
  return values.empty() ? Value::undefined("No first item, sequence was empty.") : values.front();
}

Value last(Run& run, const Value& v, Arguments arguments) {
  const Bound none("last", std::move(arguments), {});
  if (v.is(SequenceKind::iterator)) fail("last needs a list; put '| list' before it");
  std::vector<Value> values = run.iterate(v);
  return values.empty() ? Value::undefined("No last item, sequence was empty.") : values.back();
}

Value reverse(Run& run, const Value& v, Arguments arguments) {
  const Bound none("reverse", std::move(arguments), {});
  std::vector<Value> values = run.iterate(v);
  std::reverse(values.begin(), values.end());
  if (!v.is_string())
    return v.is(SequenceKind::iterator) ? Value::list(std::move(values)) : iterator(std::move(values));
  std::string out;
  for (const Value& c : values) out += c.text();
  return Value::string(std::move(out));
}

Value attr(Run& run, const Value& v, Arguments arguments) {
  const Bound a("attr", std::move(arguments), {"name"});
  if (v.is_undefined()) v.fail_undefined();
  if (v.is_dict() && !has_method(v, a.text(0)))
    return Value::undefined(fmt::format("a dict has no attribute '{}'", a.text(0)));
  return run.attribute(v, a.text(0));
}

Value map(Run& run, const Value& v, Arguments arguments) {
  std::vector<Value> out;
  if (!v.truth()) return iterator({});
  if (arguments.positional.empty()) {
    const Bound a("map", std::move(arguments), {"attribute", "default?"});
    const Getter getter(a[0]);
    const bool has_default = a.has(1) && !a[1].is_none();
    for (Value& value : run.iterate(v))
      out.push_back(getter(run, std::move(value), has_default ? &a[1] : nullptr));
    return iterator(std::move(out));
  }
  const Value name = arguments.positional.front();
  if (!name.is_string()) fail("map needs the name of a filter, not {}", name.type_name());
  arguments.positional.erase(arguments.positional.begin());
  for (const Value& value : run.iterate(v)) {
    run.step();
    out.push_back(run.filter(name.text(), value, arguments));
  }
  return iterator(std::move(out));
}

/// select, reject, selectattr, rejectattr: what passes a test, or does not.
template <bool keep, bool by_attribute>
Value select(Run& run, const Value& v, Arguments arguments) {
  std::vector<Value>& given = arguments.positional;
  if (!v.truth()) return iterator({});
  if (by_attribute && given.empty()) fail("selectattr and rejectattr need the name of an attribute");
  const Getter getter(by_attribute ? given.front() : Value::none());
  if (by_attribute) given.erase(given.begin());
  Value test;
  if (!given.empty()) {
    test = given.front();
    if (!test.is_string()) fail("the name of a test is a string, not {}", test.type_name());
    given.erase(given.begin());
  }
  std::vector<Value> out;
  for (Value& value : run.iterate(v)) {
    run.step();
    const Value judged = getter(run, value);
    const bool passes = test.is_string() ? run.test(test.text(), judged, arguments) : judged.truth();
    if (passes == keep) out.push_back(std::move(value));
  }
  return iterator(std::move(out));
}

Value batch(Run& run, const Value& v, Arguments arguments) {
  const Bound a("batch", std::move(arguments), {"linecount", "fill_with?"});
  const std::int64_t size = a.whole(0);
  if (size < 1 || size > 1'000'000) fail("batch by {}; it must be from 1 to 1000000", size);
  std::vector<Value> out, row;
  for (Value& value : run.iterate(v)) {
    if (static_cast<std::int64_t>(row.size()) == size) out.push_back(Value::list(std::exchange(row, {})));
    row.push_back(std::move(value));
  }
  if (!row.empty()) {
    if (a.has(1) && !a[1].is_none()) {
      run.charge(static_cast<std::size_t>(size) * sizeof(Value));
      row.resize(static_cast<std::size_t>(size), a[1]);
    }
    out.push_back(Value::list(std::move(row)));
  }
  return iterator(std::move(out));
}

}  // namespace

Filter find_sequence_filter(const std::string& name) {
  static const std::unordered_map<std::string, Filter> kFilters = {
      {"attr", attr},
      {"batch", batch},
      {"dictsort", dictsort},
      {"first", first},
      {"items", items},
      {"join", join},
      {"last", last},
      {"list", as_list},
      {"map", map},
      {"max", largest},
      {"min", smallest},
      {"reject", select<false, false>},
      {"rejectattr", select<false, true>},
      {"reverse", reverse},
      {"select", select<true, false>},
      {"selectattr", select<true, true>},
      {"sort", sort},
      {"sum", sum},
      {"unique", unique},
  };
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
