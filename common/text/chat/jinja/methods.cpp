// Methods of lists and dictionaries, and the lookup of methods by type. The methods of strings are in
// string_methods.cpp.

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

constexpr std::array<std::string_view, 2> kOfSequences = {"count", "index"};
constexpr std::array<std::string_view, 5> kOfDicts = {"copy", "get", "items", "keys", "values"};
// These methods exist in Python, but the sandbox of transformers forbids them.
constexpr std::array<std::string_view, 8> kChangingLists = {"append", "clear",  "extend",  "insert",
                                                            "pop",    "remove", "reverse", "sort"};
constexpr std::array<std::string_view, 5> kChangingDicts = {"clear", "pop", "popitem", "setdefault",
                                                            "update"};

template <class List>
bool one_of(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
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
  if (object.is_string()) return is_string_method(name);
  if (object.is_dict()) return one_of(kOfDicts, name);
  if (object.is(SequenceKind::list)) return one_of(kOfSequences, name) || name == "copy";
  return (object.is(SequenceKind::tuple) || object.is(SequenceKind::range)) && one_of(kOfSequences, name);
}

Value call_method(Run& run, const Value& object, const std::string& name, Arguments arguments) {
  if (object.is_string()) return call_string_method(run, object.text(), name, std::move(arguments));
  if (object.is_dict()) return call_dict(run, object, name, std::move(arguments));
  if (name == "copy") return object;
  return call_sequence(run, object, name, std::move(arguments));
}

}  // namespace rung::jinja
