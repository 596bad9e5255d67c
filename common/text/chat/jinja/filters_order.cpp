// Filters that order values or find equal ones. They ignore case by default: strings are compared in lower
// case.

#include <algorithm>

#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/getter.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

Value without_case(const Value& v, bool case_sensitive) {
  return v.is_string() && !case_sensitive ? Value::string(lower_case(v.text())) : v;
}

/// Sorts by keys. Values with equal keys keep their order, also if `reverse` is true.
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
  return Value::sequence(SequenceKind::iterator, std::move(out));
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

/// Returns pairs of a key and the list of values with that key, in the order of the keys. The two parts of a
/// pair have the names `grouper` and `list`.
Value grouped_by(Run& run, const Value& v, Arguments arguments) {
  const Bound a("groupby", std::move(arguments), {"attribute", "default?", "case_sensitive?"});
  const Getter getter(a[0]);
  const Value* const otherwise = a.has(1) && !a[1].is_none() ? &a[1] : nullptr;
  const auto key_of = [&](const Value& value) {
    return without_case(getter(run, value, otherwise), a.truth(2, false));
  };
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& value : run.iterate(v)) {
    Value key = key_of(value);
    keyed.emplace_back(std::move(key), std::move(value));
  }
  std::vector<Value> groups, group;
  const auto end_group = [&] {
    if (group.empty()) return;
    const Value key = getter(run, group.front(), otherwise);  // the key with the case of the first value
    groups.push_back(
        Value::sequence(SequenceKind::tuple, {key, Value::list(std::exchange(group, {}))}, kGroup));
  };
  Value last;
  for (Value& value : sorted(run, std::move(keyed), false)) {
    Value key = key_of(value);
    if (!group.empty() && !run.equals(key, last)) end_group();
    last = std::move(key);
    group.push_back(std::move(value));
  }
  end_group();
  return Value::list(std::move(groups));
}

}  // namespace

Filter find_order_filter(const std::string& name) {
  static const std::unordered_map<std::string, Filter> kFilters = {
      {"dictsort", dictsort}, {"groupby", grouped_by}, {"max", largest},
      {"min", smallest},      {"sort", sort},          {"unique", unique}};
  const auto found = kFilters.find(name);
  return found == kFilters.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
