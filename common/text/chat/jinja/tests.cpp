// Tests, which are used after `is`, and by name in select() and similar filters.

#include <unordered_map>

#include "core/error.hpp"
#include "text/chat/jinja/case.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

void test_takes_none(const char* name, Arguments arguments) {
  const Bound none(name, std::move(arguments), {});
}

/// A test that has no arguments besides the value.
template <bool (*check)(const Value&)>
bool plain(Run&, const Value& v, Arguments arguments) {
  test_takes_none("the test", std::move(arguments));
  return check(v);
}

bool is_defined(const Value& v) { return !v.is_undefined(); }
bool is_undefined(const Value& v) { return v.is_undefined(); }
bool is_none(const Value& v) { return v.is_none(); }
bool is_boolean(const Value& v) { return v.is_boolean(); }
bool is_true(const Value& v) { return v.is_boolean() && v.truth(); }
bool is_false(const Value& v) { return v.is_boolean() && !v.truth(); }
bool is_integer(const Value& v) { return v.is_integer(); }
bool is_float(const Value& v) { return v.is_real(); }
bool is_number(const Value& v) { return v.is_number(); }
bool is_string(const Value& v) { return v.is_string(); }
bool is_mapping(const Value& v) { return v.is_dict(); }
bool is_escaped(const Value&) { return false; }
bool is_sequence(const Value& v) {
  if (v.is_sequence()) return !v.is(SequenceKind::iterator) && !v.is(SequenceKind::view);
  return v.is_string() || v.is_dict() || v.is_undefined();
}
bool is_iterable(const Value& v) {
  return v.is_sequence() || v.is_string() || v.is_dict() || v.is_undefined();
}
bool is_callable(const Value& v) { return v.is_undefined() || (v.is_object() && v.as_object().callable()); }

std::int64_t remainder(Run& run, const Value& v, std::int64_t by) {
  const Value r = arithmetic(run, "%", v, Value::integer(by));
  if (r.is_string()) return -1;  // in Python, "text" % 2 is string formatting
  return r.number() == static_cast<double>(static_cast<std::int64_t>(r.number()))
             ? static_cast<std::int64_t>(r.number())
             : -1;
}

bool odd(Run& run, const Value& v, Arguments a) {
  test_takes_none("odd", std::move(a));
  return remainder(run, v, 2) == 1;
}
bool even(Run& run, const Value& v, Arguments a) {
  test_takes_none("even", std::move(a));
  return remainder(run, v, 2) == 0;
}
bool divisible(Run& run, const Value& v, Arguments arguments) {
  const Bound a("divisibleby", std::move(arguments), {"num"});
  return remainder(run, v, a.whole(0)) == 0;
}

enum class Order : std::uint8_t { equal, unequal, less, less_equal, greater, greater_equal };
template <Order order>
bool compared(Run& run, const Value& v, Arguments arguments) {
  const Bound a("a comparison", std::move(arguments), {"other"});
  switch (order) {
    case Order::equal:
      return run.equals(v, a[0]);
    case Order::unequal:
      return !run.equals(v, a[0]);
    case Order::less:
      return less(v, a[0]);
    case Order::less_equal:
      return !less(a[0], v);
    case Order::greater:
      return less(a[0], v);
    case Order::greater_equal:
      return !less(v, a[0]);
  }
  return false;
}

bool in(Run& run, const Value& v, Arguments arguments) {
  const Bound a("in", std::move(arguments), {"seq"});
  return run.contains(a[0], v);
}
bool same_as(Run&, const Value& v, Arguments arguments) {
  const Bound a("sameas", std::move(arguments), {"other"});
  return v.same(a[0]);
}
bool is_filter(Run&, const Value& v, Arguments arguments) {
  test_takes_none("filter", std::move(arguments));
  return v.is_string() && find_filter(v.text()) != nullptr;
}
bool is_test(Run&, const Value& v, Arguments arguments) {
  test_takes_none("test", std::move(arguments));
  return v.is_string() && find_test(v.text()) != nullptr;
}
template <CodeClass wanted>
bool in_class(Run& run, const Value& v, Arguments arguments) {
  test_takes_none("the test", std::move(arguments));
  return all_of_class(run.text(v), wanted);
}

}  // namespace

Test find_test(const std::string& name) {
  static const std::unordered_map<std::string, Test> kTests = {
      {"defined", plain<is_defined>},
      {"undefined", plain<is_undefined>},
      {"none", plain<is_none>},
      {"boolean", plain<is_boolean>},
      {"true", plain<is_true>},
      {"false", plain<is_false>},
      {"integer", plain<is_integer>},
      {"float", plain<is_float>},
      {"number", plain<is_number>},
      {"string", plain<is_string>},
      {"mapping", plain<is_mapping>},
      {"escaped", plain<is_escaped>},
      {"sequence", plain<is_sequence>},
      {"iterable", plain<is_iterable>},
      {"callable", plain<is_callable>},
      {"lower", in_class<CodeClass::lower>},
      {"upper", in_class<CodeClass::upper>},
      {"odd", odd},
      {"even", even},
      {"divisibleby", divisible},
      {"sameas", same_as},
      {"filter", is_filter},
      {"test", is_test},
      {"in", in},
      {"eq", compared<Order::equal>},
      {"equalto", compared<Order::equal>},
      {"==", compared<Order::equal>},
      {"ne", compared<Order::unequal>},
      {"!=", compared<Order::unequal>},
      {"lt", compared<Order::less>},
      {"lessthan", compared<Order::less>},
      {"<", compared<Order::less>},
      {"le", compared<Order::less_equal>},
      {"<=", compared<Order::less_equal>},
      {"gt", compared<Order::greater>},
      {"greaterthan", compared<Order::greater>},
      {">", compared<Order::greater>},
      {"ge", compared<Order::greater_equal>},
      {">=", compared<Order::greater_equal>},
  };
  const auto found = kTests.find(name);
  return found == kTests.end() ? nullptr : found->second;
}

}  // namespace rung::jinja
