// Evaluation of expressions: names, subscripts, slices, calls.

#include <algorithm>

#include "core/error.hpp"
#include "text/chat/jinja/run.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

/// The value of obj.name where name is a method of obj's type.
class BoundMethod : public Object {
 public:
  BoundMethod(Value object, std::string name) : object_(std::move(object)), name_(std::move(name)) {}
  Value call(Run& run, Arguments arguments) override {
    return call_method(run, object_, name_, std::move(arguments));
  }
  std::string describe() const override { return "method"; }

 private:
  Value object_;
  std::string name_;
};

/// Resolves a negative index as Python does. Returns false if the index is out of range.
bool settle(std::int64_t& at, std::size_t size) {
  if (at < 0) at += static_cast<std::int64_t>(size);
  return at >= 0 && at < static_cast<std::int64_t>(size);
}

/// Returns list[key], text[key] or dict[key], or undefined if the object has no such item.
Value plain_item(const Value& object, const Value& key) {
  if (object.is_dict()) {
    if (const Value* found = object.entries().find(key)) return *found;
  } else if (object.is(SequenceKind::tuple) && object.items().shown == kGroup && key.is_string()) {
    if (key.text() == "grouper") return object.items().values[0];
    if (key.text() == "list") return object.items().values[1];
  } else if (object.is_sequence() && key.is_whole()) {
    const Sequence& s = object.items();
    std::int64_t at = key.whole();
    if (s.kind != SequenceKind::view && s.kind != SequenceKind::iterator && settle(at, s.values.size()))
      return s.values[static_cast<std::size_t>(at)];
  } else if (object.is_string() && key.is_whole()) {
    const auto offsets = code_offsets(object.text());
    std::int64_t at = key.whole();
    if (settle(at, offsets.size() - 1)) {
      const std::size_t begin = offsets[static_cast<std::size_t>(at)];
      return Value::string(object.text().substr(begin, offsets[static_cast<std::size_t>(at) + 1] - begin));
    }
  }
  return Value::undefined(
      fmt::format("a value of type {} has no '{}'", object.type_name(), key.is_dict() ? "{}" : key.str()));
}

/// Returns the indices that object[begin:end:step] selects from `size` items.
std::vector<std::size_t> sliced(std::size_t size, const Value& begin, const Value& end, const Value& step) {
  const auto bound = [](const Value& v, const char* what) {
    if (!v.is_none() && !v.is_whole())
      fail("the {} of a slice is of type {}, expected int or none", what, v.type_name());
    return !v.is_none();
  };
  const bool has_begin = bound(begin, "begin"), has_end = bound(end, "end");
  const std::int64_t by = bound(step, "step") ? step.whole() : 1;
  if (by == 0) fail("the step of a slice is 0");
  const auto n = static_cast<std::int64_t>(size);
  const std::int64_t low = by > 0 ? 0 : -1, high = by > 0 ? n : n - 1;
  const auto clamped = [&](std::int64_t v) {
    return std::clamp(v < 0 ? (v < -n ? low : v + n) : v, low, high);
  };
  std::int64_t from = has_begin ? clamped(begin.whole()) : (by > 0 ? low : high);
  const std::int64_t to = has_end ? clamped(end.whole()) : (by > 0 ? high : low);
  std::vector<std::size_t> places;
  while (by > 0 ? from < to : from > to) {
    places.push_back(static_cast<std::size_t>(from));
    if (by > n || by < -n) break;
    from += by;
  }
  return places;
}

}  // namespace

Value Run::evaluate(const Expression& e, Scope& scope) {
  const Nested nested(*this);
  step();
  return evaluate_here(e, scope);
}

Value Run::evaluate_here(const Expression& e, Scope& scope) {
  const auto child = [&](std::size_t i) { return evaluate(*e.children[i], scope); };
  const auto all = [&] {
    std::vector<Value> values;
    for (const auto& c : e.children) values.push_back(evaluate(*c, scope));
    charge(values.size() * sizeof(Value));
    return values;
  };
  line_ = e.line;
  switch (e.kind) {
    case ExpressionKind::constant:
      return e.value;
    case ExpressionKind::name:
      return look_up(e.text, scope);
    case ExpressionKind::list:
      return Value::list(all());
    case ExpressionKind::tuple:
      return Value::sequence(SequenceKind::tuple, all());
    case ExpressionKind::dict: {
      Dict entries;
      for (std::size_t i = 0; i < e.children.size(); i += 2) {
        const Value key = child(i);
        entries.set(key, child(i + 1));
        charge(256);
      }
      return Value::dict(std::move(entries));
    }
    case ExpressionKind::negative: {
      const Value value = child(0);
      return value.is_real() ? Value::real(-value.number())
                             : arithmetic(*this, "-", Value::integer(0), value);
    }
    case ExpressionKind::positive:
      return arithmetic(*this, "+", Value::integer(0), child(0));
    case ExpressionKind::logical_not:
      return Value::boolean(!child(0).truth());
    case ExpressionKind::logical_and: {
      Value left = child(0);
      return left.truth() ? child(1) : left;
    }
    case ExpressionKind::logical_or: {
      Value left = child(0);
      return left.truth() ? left : child(1);
    }
    case ExpressionKind::binary: {
      const Value left = child(0), right = child(1);
      line_ = e.line;
      return arithmetic(*this, e.text, left, right);
    }
    case ExpressionKind::concat: {
      std::string out;
      for (std::size_t i = 0; i < e.children.size(); ++i) out += text(child(i));
      return Value::string(std::move(out));
    }
    case ExpressionKind::compare:
      return compare(e, scope);
    case ExpressionKind::condition:
      if (child(1).truth()) return child(0);
      if (e.children[2]) return child(2);
      return Value::undefined("the inline if-expression has no 'else' and its test was false");
    case ExpressionKind::attribute: {
      const Value object = child(0);
      line_ = e.line;
      return attribute(object, e.text);
    }
    case ExpressionKind::subscript:
      return subscript(e, scope);
    case ExpressionKind::slice:
      fail("a slice stands outside of [ ]");
    case ExpressionKind::call:
      return call(e, scope);
    case ExpressionKind::filter: {
      const Value input = child(0);
      Arguments given = arguments(e, scope);
      line_ = e.line;
      return filter(e.text, input, std::move(given));
    }
    case ExpressionKind::test: {
      const Value input = child(0);
      Arguments given = arguments(e, scope);
      line_ = e.line;
      return Value::boolean(test(e.text, input, std::move(given)));
    }
  }
  return {};
}

Value Run::through_filters(const Expression& e, const Value& input, Scope& scope) {
  const Value inner = e.children[0] ? through_filters(*e.children[0], input, scope) : input;
  return filter(e.text, inner, arguments(e, scope));
}

Value Run::look_up(const std::string& name, const Scope& scope) const {
  for (const Scope* s = &scope; s != nullptr; s = s->outer) {
    const auto found = s->values.find(name);
    if (found != s->values.end()) return found->second;
  }
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  return Value::undefined(fmt::format("'{}' is undefined", name));
}

Value Run::compare(const Expression& e, Scope& scope) {
  Value left = evaluate(*e.children[0], scope);
  for (std::size_t i = 0; i < e.operators.size(); ++i) {
    Value right = evaluate(*e.children[i + 1], scope);
    line_ = e.line;
    const std::string& op = e.operators[i];
    bool holds = false;
    if (op == "==") {
      holds = equals(left, right);
    } else if (op == "!=") {
      holds = !equals(left, right);
    } else if (op == "in") {
      holds = contains(right, left);
    } else if (op == "not in") {
      holds = !contains(right, left);
    } else {
      charge(std::min(left.weight(), right.weight()));
      const bool nan = (left.is_real() && left.number() != left.number()) ||
                       (right.is_real() && right.number() != right.number());
      if (op == "<") holds = less(left, right);
      if (op == ">") holds = less(right, left);
      if (op == "<=") holds = !less(right, left) && !nan;
      if (op == ">=") holds = !less(left, right) && !nan;
    }
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

bool Run::equals(const Value& a, const Value& b) {
  if (a.depth() > 0 && b.depth() > 0) charge(std::min(a.weight(), b.weight()));
  return equal(a, b);
}

bool Run::contains(const Value& container, const Value& value) {
  if (container.is_string()) {
    if (!value.is_string()) fail("'in <string>' needs a string on its left, not {}", value.type_name());
    return container.text().find(value.text()) != std::string::npos;
  }
  if (container.is_dict()) return container.entries().find(value) != nullptr;
  const std::vector<Value> values = iterate(container);
  step(static_cast<std::int64_t>(values.size()));
  return std::any_of(values.begin(), values.end(), [&](const Value& v) { return equals(v, value); });
}

Value Run::attribute(const Value& object, const std::string& name) {
  if (object.is_undefined()) object.fail_undefined();
  if (object.is_object()) {
    const Value* found = object.as_object().attribute(*this, name);
    return found != nullptr ? *found
                            : Value::undefined(fmt::format("a {} has no '{}'", object.type_name(), name));
  }
  if (has_method(object, name)) return Value::object(make<BoundMethod>(object, name));
  if (would_change(object, name))
    return Value::undefined(
        fmt::format("{}() would change a {}, which a template may not do", name, object.type_name()));
  return plain_item(object, Value::string(name));
}

Value Run::item(const Value& object, const Value& key) {
  if (object.is_undefined()) object.fail_undefined();
  if (object.is_string()) step(static_cast<std::int64_t>(object.text().size() / 64));
  Value found = plain_item(object, key);
  if (found.is_undefined() && key.is_string() && !object.is_dict()) return attribute(object, key.text());
  if (found.is_undefined() && key.is_string() && has_method(object, key.text()))
    return attribute(object, key.text());
  return found;
}

Value Run::subscript(const Expression& e, Scope& scope) {
  const Value object = evaluate(*e.children[0], scope);
  if (e.children[1]->kind == ExpressionKind::slice) return slice(object, *e.children[1], scope);
  const Value key = evaluate(*e.children[1], scope);
  line_ = e.line;
  return item(object, key);
}

Value Run::slice(const Value& object, const Expression& e, Scope& scope) {
  const auto bound = [&](std::size_t i) {
    return e.children[i] ? evaluate(*e.children[i], scope) : Value::none();
  };
  const Value begin = bound(0), end = bound(1), by = bound(2);
  line_ = e.line;
  if (object.is_undefined()) object.fail_undefined();
  if (object.is_string()) {
    charge(object.text().size() * sizeof(std::size_t));
    const auto offsets = code_offsets(object.text());
    std::string out;
    for (const std::size_t i : sliced(offsets.size() - 1, begin, end, by))
      out += std::string_view(object.text()).substr(offsets[i], offsets[i + 1] - offsets[i]);
    return Value::string(std::move(out));
  }
  const bool indexed =
      object.is(SequenceKind::list) || object.is(SequenceKind::tuple) || object.is(SequenceKind::range);
  if (!indexed) fail("a value of type {} cannot be sliced", object.type_name());
  const Sequence& s = object.items();
  charge(s.values.size() * sizeof(Value));
  std::vector<Value> out;
  for (const std::size_t i : sliced(s.values.size(), begin, end, by)) out.push_back(s.values[i]);
  return Value::sequence(s.kind == SequenceKind::tuple ? s.kind : SequenceKind::list, std::move(out));
}

Arguments Run::arguments(const Expression& e, Scope& scope) {
  Arguments given;
  for (std::size_t i = 1; i < e.children.size(); ++i)
    given.positional.push_back(evaluate(*e.children[i], scope));
  for (const auto& [name, expression] : e.named) {
    const auto same = [&name = name](const auto& a) { return a.first == name; };
    if (std::any_of(given.named.begin(), given.named.end(), same))
      fail("the argument '{}' is given twice", name);
    given.named.emplace_back(name, evaluate(*expression, scope));
  }
  if (e.more_positional) {
    for (Value& value : iterate(evaluate(*e.more_positional, scope)))
      given.positional.push_back(std::move(value));
  }
  if (e.more_named) {
    const Value more = evaluate(*e.more_named, scope);
    if (!more.is_dict()) fail("'**' needs a dictionary, not {}", more.type_name());
    for (const auto& [key, value] : more.entries().pairs) {
      if (!key.is_string()) fail("'**' needs a dictionary whose keys are strings");
      given.named.emplace_back(key.text(), value);
    }
  }
  return given;
}

Value Run::call(const Expression& e, Scope& scope) {
  const Expression& callee = *e.children[0];
  if (callee.kind == ExpressionKind::attribute) {  // call a method without creating an object for it
    const Value object = evaluate(*callee.children[0], scope);
    if (!object.is_undefined() && !object.is_object() && has_method(object, callee.text)) {
      Arguments given = arguments(e, scope);
      line_ = e.line;
      return call_method(*this, object, callee.text, std::move(given));
    }
    const Value function = attribute(object, callee.text);
    return call(function, arguments(e, scope));
  }
  const Value function = evaluate(callee, scope);
  Arguments given = arguments(e, scope);
  line_ = e.line;
  return call(function, std::move(given));
}

Value Run::call(const Value& callee, Arguments arguments) {
  if (callee.is_undefined()) callee.fail_undefined();
  if (!callee.is_object()) fail("a value of type {} cannot be called", callee.type_name());
  const Nested nested(*this);
  return callee.as_object().call(*this, std::move(arguments));
}

Value Run::filter(const std::string& name, const Value& input, Arguments arguments) {
  const Filter known = find_filter(name);
  if (known == nullptr) fail("the filter '{}' is not known", name);
  return known(*this, input, std::move(arguments));
}

bool Run::test(const std::string& name, const Value& input, Arguments arguments) {
  const Test known = find_test(name);
  if (known == nullptr) fail("the test '{}' is not known", name);
  return known(*this, input, std::move(arguments));
}

}  // namespace rung::jinja
