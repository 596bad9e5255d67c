// Functions that are available in every template, namespaces, and the binding of arguments.

#include <clocale>

#include "core/error.hpp"
#include "text/chat/jinja/run.hpp"

namespace rung::jinja {
namespace {

class Namespace : public Object {
 public:
  const Value* attribute(Run&, const std::string& name) override {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }
  void set(const std::string& name, Value value) {
    if (!name.empty() && name[0] == '_')
      fail("a namespace cannot hold '{}': names may not begin with '_'", name);
    values_[name] = std::move(value);
  }
  bool callable() const override { return false; }
  std::string describe() const override { return "namespace"; }

 private:
  std::unordered_map<std::string, Value> values_;
};

class Function : public Object {
 public:
  using Body = Value (*)(Run&, Arguments);
  explicit Function(Body body) : body_(body) {}
  Value call(Run& run, Arguments arguments) override { return body_(run, std::move(arguments)); }
  std::string describe() const override { return "function"; }

 private:
  Body body_;
};

/// The result of joiner(). Its first call returns an empty string, and later calls return the separator.
class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  Value call(Run&, Arguments) override { return std::exchange(used_, true) ? separator_ : Value::string(""); }
  std::string describe() const override { return "joiner"; }

 private:
  Value separator_;
  bool used_ = false;
};

/// The pairs from which dict(...) and namespace(...) are made: those of a dictionary or of a list of pairs,
/// then the named arguments.
Dict pairs_of(Run& run, const Arguments& arguments, const char* function) {
  Dict all;
  if (arguments.positional.size() > 1)
    fail("{}() takes one value without a name, not {}", function, arguments.positional.size());
  for (const Value& from : arguments.positional) {
    if (from.is_dict()) {
      for (const auto& [key, value] : from.entries().pairs) all.set(key, value);
      continue;
    }
    for (const Value& pair : run.iterate(from)) {
      const std::vector<Value> two = run.iterate(pair);
      if (two.size() != 2) fail("{}() needs pairs, not {} values", function, two.size());
      all.set(two[0], two[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) all.set(Value::string(name), value);
  run.charge(all.pairs.size() * 256);
  return all;
}

Value make_namespace(Run& run, Arguments arguments) {
  auto* made = run.make<Namespace>();
  for (const auto& [key, value] : pairs_of(run, arguments, "namespace").pairs) {
    if (!key.is_string()) fail("the names in a namespace are strings, not {}", key.type_name());
    made->set(key.text(), value);
  }
  return Value::object(made);
}

Value make_dict(Run& run, Arguments arguments) { return Value::dict(pairs_of(run, arguments, "dict")); }

Value make_range(Run& run, Arguments arguments) {
  constexpr std::int64_t kMost = 100'000;  // the limit of Jinja2's sandbox
  const std::size_t n = arguments.positional.size();
  const Bound a("range", std::move(arguments), {"start", "stop?", "step?"});
  const std::int64_t begin = n > 1 ? a.whole(0) : 0, end = a.whole(n > 1 ? 1 : 0), by = a.whole(2, 1);
  if (by == 0) fail("the step of range() is 0");
  std::vector<Value> values;
  for (std::int64_t v = begin; by > 0 ? v < end : v > end;) {
    if (static_cast<std::int64_t>(values.size()) >= kMost) fail("range() gives more than {} numbers", kMost);
    values.push_back(Value::integer(v));
    if (__builtin_add_overflow(v, by, &v)) break;
  }
  run.charge(values.size() * sizeof(Value));
  std::string shown =
      by == 1 ? fmt::format("range({}, {})", begin, end) : fmt::format("range({}, {}, {})", begin, end, by);
  return Value::sequence(SequenceKind::range, std::move(values), std::move(shown));
}

Value raise(Run& run, Arguments arguments) {
  const Bound a("raise_exception", std::move(arguments), {"message"});
  fail("the template refuses this: {}", run.text(a[0]));
}

Value strftime_now(Run& run, Arguments arguments) {
  const Bound a("strftime_now", std::move(arguments), {"format"});
  const std::time_t now = run.now();
  std::tm parts{};
  localtime_r(&now, &parts);
  // Names of months and days are English, independent of the locale of the process.
  static const locale_t english = newlocale(LC_ALL_MASK, "C", nullptr);
  char buffer[512];
  const std::size_t n = strftime_l(buffer, sizeof buffer, a.text(0).c_str(), &parts, english);
  if (n == 0 && !a.text(0).empty())
    fail("strftime_now() gives nothing, or more than {} bytes", sizeof buffer);
  return Value::string(std::string(buffer, n));
}

Value make_joiner(Run& run, Arguments arguments) {
  const Bound a("joiner", std::move(arguments), {"separator?"});
  return Value::object(run.make<Joiner>(a.has(0) ? a[0] : Value::string(", ")));
}

}  // namespace

void add_globals(Run& run, std::unordered_map<std::string, Value>& names) {
  constexpr std::pair<const char*, Function::Body> kFunctions[] = {
      {"namespace", make_namespace}, {"dict", make_dict},     {"range", make_range},
      {"raise_exception", raise},    {"joiner", make_joiner}, {"strftime_now", strftime_now}};
  for (const auto& [name, body] : kFunctions)
    names.try_emplace(name, Value::object(run.make<Function>(body)));
}

void set_attribute(Run& run, const Value& object, const std::string& name, Value value) {
  auto* space = object.is_object() ? dynamic_cast<Namespace*>(&object.as_object()) : nullptr;
  if (space == nullptr)
    fail("'{}' cannot be set on a value of type {}; only namespaces can be changed", name,
         object.type_name());
  run.charge(64);
  space->set(name, std::move(value));
}

Bound::Bound(std::string_view function, Arguments arguments, std::initializer_list<std::string_view> names)
    : function_(function), values_(names.size()), present_(names.size()) {
  if (arguments.positional.size() > names.size())
    fail("{}() takes at most {} arguments, not {}", function, names.size(), arguments.positional.size());
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    values_[i] = std::move(arguments.positional[i]);
    present_[i] = true;
  }
  for (auto& [name, value] : arguments.named) {
    std::size_t i = 0;
    for (const std::string_view known : names) {
      if (known == name || known == name + "?") break;
      ++i;
    }
    if (i == names.size()) fail("{}() has no argument '{}'", function, name);
    if (present_[i]) fail("{}() is given '{}' twice", function, name);
    values_[i] = std::move(value);
    present_[i] = true;
  }
  std::size_t i = 0;
  for (const std::string_view name : names) {
    if (!present_[i++] && name.back() != '?') fail("{}() needs the argument '{}'", function, name);
  }
}

std::int64_t Bound::whole(std::size_t i) const {
  if (values_[i].is_undefined()) values_[i].fail_undefined();
  if (!values_[i].is_whole()) fail("{}() needs a whole number, not {}", function_, values_[i].type_name());
  return values_[i].whole();
}

const std::string& Bound::text(std::size_t i) const {
  if (values_[i].is_undefined()) values_[i].fail_undefined();
  if (!values_[i].is_string()) fail("{}() needs a string, not {}", function_, values_[i].type_name());
  return values_[i].text();
}

}  // namespace rung::jinja
