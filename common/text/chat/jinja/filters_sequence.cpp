// Filters of sequences, except those that compare values (filters_order.cpp). map, select and similar filters
// return iterators, as in Python: they can be iterated only once.

#include <algorithm>

#include "core/error.hpp"
#include "text/chat/jinja/getter.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

Value iterator(std::vector<Value> values) {
  return Value::sequence(SequenceKind::iterator, std::move(values));
}

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

/// select, reject, selectattr, rejectattr: keeps the values that pass a test, or those that fail it.
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
      {"first", first},
      {"items", items},
      {"join", join},
      {"last", last},
      {"list", as_list},
      {"map", map},
      {"reject", select<false, false>},
      {"rejectattr", select<false, true>},
      {"reverse", reverse},
      {"select", select<true, false>},
      {"selectattr", select<true, true>},
      {"sum", sum},
  };
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
