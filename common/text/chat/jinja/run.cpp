// Execution of statements, scopes and limits.

#include "text/chat/jinja/run.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

/// The value of a macro's name. `caller` is such a value, too.
class MacroObject : public Object {
 public:
  MacroObject(const Macro& macro, Scope& around) : macro_(macro), around_(around) {
    for (Scope* s = &around; s != nullptr; s = s->outer) s->kept = true;
    name_ = Value::string(macro.name);
  }
  Value call(Run& run, Arguments arguments) override {
    return run.call_macro(macro_, around_, std::move(arguments));
  }
  const Value* attribute(Run&, const std::string& name) override { return name == "name" ? &name_ : nullptr; }
  std::string describe() const override { return "macro"; }

 private:
  const Macro& macro_;
  Scope& around_;
  Value name_;
};

/// The value of `loop` inside a for loop.
class LoopObject : public Object {
 public:
  LoopObject(const Statement& s, Scope& around, const std::vector<Value>& items, int depth)
      : statement_(s), around_(around), items_(items), depth_(depth) {
    if (s.recursive) around.kept = true;
  }
  void go_to(std::size_t i) { at_ = i; }

  const Value* attribute(Run& run, const std::string& name) override {
    const auto n = static_cast<std::int64_t>(items_.size());
    const auto i = static_cast<std::int64_t>(at_);
    const auto number = [&](std::int64_t v) { return answer(Value::integer(v)); };
    if (name == "index") return number(i + 1);
    if (name == "index0") return number(i);
    if (name == "revindex") return number(n - i);
    if (name == "revindex0") return number(n - i - 1);
    if (name == "length") return number(n);
    if (name == "depth") return number(depth_ + 1);
    if (name == "depth0") return number(depth_);
    if (name == "first") return answer(Value::boolean(i == 0));
    if (name == "last") return answer(Value::boolean(i + 1 == n));
    if (name == "previtem")
      return answer(i > 0 ? items_[at_ - 1] : Value::undefined("there is no previous item"));
    if (name == "nextitem")
      return answer(i + 1 < n ? items_[at_ + 1] : Value::undefined("there is no next item"));
    if (name == "cycle" || name == "changed") return answer(Value::object(run.make<Part>(*this, name)));
    return nullptr;
  }
  Value call(Run& run, Arguments arguments) override {
    if (!statement_.recursive) fail("only a loop that is marked 'recursive' can be called");
    const Bound bound("loop", std::move(arguments), {"items"});
    return run.loop_again(statement_, around_, bound[0], depth_ + 1);
  }
  std::string describe() const override { return "loop"; }

 private:
  class Part : public Object {
   public:
    Part(LoopObject& loop, std::string name) : loop_(loop), name_(std::move(name)) {}
    Value call(Run& run, Arguments arguments) override {
      if (name_ == "changed") return loop_.changed(run, std::move(arguments.positional));
      if (arguments.positional.empty()) fail("loop.cycle() needs at least one value");
      return arguments.positional[loop_.at_ % arguments.positional.size()];
    }
    std::string describe() const override { return "function"; }

   private:
    LoopObject& loop_;
    std::string name_;
  };

  Value changed(Run& run, std::vector<Value> now) {
    const Value value = Value::list(std::move(now));
    const bool same = !last_.is_undefined() && run.equals(last_, value);
    last_ = value;
    return Value::boolean(!same);
  }
  const Value* answer(Value value) {
    answer_ = std::move(value);
    return &answer_;
  }

  const Statement& statement_;
  Scope& around_;
  std::vector<Value> items_;
  int depth_;
  std::size_t at_ = 0;
  Value answer_, last_;
};

}  // namespace

void Run::step(std::int64_t count) {
  steps_ += count;
  if (steps_ > limits_.steps) fail("the template takes more than {} steps", limits_.steps);
}

void Run::charge(std::size_t bytes) {
  if (bytes > limits_.bytes - bytes_) fail("the template produces more than {} bytes", limits_.bytes);
  bytes_ += bytes;
}

std::string Run::text(const Value& value) {
  charge(value.weight());
  return value.str();
}

void Run::print(std::string_view text) {
  charge(text.size());
  *out_ += text;
}

Scope& Run::new_scope(Scope* outer) {
  charge(128);
  scopes_.push_back(std::make_unique<Scope>());
  scopes_.back()->outer = outer;
  return *scopes_.back();
}

Run::Flow Run::in_scope(Scope& outer, const std::function<Flow(Scope&)>& work) {
  Scope& scope = new_scope(&outer);
  const Flow flow = work(scope);
  if (!scope.kept && scopes_.back().get() == &scope) {
    scopes_.pop_back();
    bytes_ -= 128;
  }
  return flow;
}

std::string Run::render(const Body& body, std::unordered_map<std::string, Value> names) {
  names_ = std::move(names);
  std::string out;
  out_ = &out;
  execute(body, new_scope(nullptr));
  return out;
}

Run::Flow Run::execute(const Body& body, Scope& scope) {
  const Nested nested(*this);
  for (const auto& statement : body) {
    const Flow flow = execute(*statement, scope);
    if (flow != Flow::onward) return flow;
  }
  return Flow::onward;
}

Run::Flow Run::execute(const Statement& s, Scope& scope) {
  line_ = s.line;
  step();
  switch (s.kind) {
    case StatementKind::data:
      print(s.text);
      break;
    case StatementKind::output: {
      const Value value = evaluate(*s.expression, scope);
      line_ = s.line;
      print(value.is_string() ? std::string_view(value.text()) : text(value));
      break;
    }
    case StatementKind::loop:
      run_loop(s, scope, evaluate(*s.expression, scope), 0);
      break;
    case StatementKind::condition:
      return execute(evaluate(*s.expression, scope).truth() ? s.body : s.otherwise, scope);
    case StatementKind::set:
      assign(s.target, evaluate(*s.expression, scope), scope);
      break;
    case StatementKind::set_block:
    case StatementKind::filter_block:
      return run_block(s, scope);
    case StatementKind::macro:
      scope.values[s.macro->name] = Value::object(make<MacroObject>(*s.macro, scope));
      break;
    case StatementKind::call_block:
      run_call_block(s, scope);
      break;
    case StatementKind::with:
      return in_scope(scope, [&](Scope& inner) {
        for (const auto& [target, expression] : s.assignments)
          assign(target, evaluate(*expression, scope), inner);
        return execute(s.body, inner);
      });
    case StatementKind::scope:
      return in_scope(scope, [&](Scope& inner) { return execute(s.body, inner); });
    case StatementKind::stop:
      return Flow::stop;
    case StatementKind::next:
      return Flow::next;
  }
  return Flow::onward;
}

Run::Flow Run::capture(const Body& body, Scope& scope, std::string& out) {
  std::string* const outer = std::exchange(out_, &out);
  const Flow flow = in_scope(scope, [&](Scope& inner) { return execute(body, inner); });
  out_ = outer;
  return flow;
}

Run::Flow Run::run_loop(const Statement& s, Scope& scope, const Value& items, int depth) {
  const Nested nested(*this);
  std::vector<Value> values = iterate(items);
  if (s.test) {
    std::vector<Value> kept;
    for (Value& value : values) {
      step();
      in_scope(scope, [&](Scope& inner) {
        assign(s.target, value, inner);
        if (evaluate(*s.test, inner).truth()) kept.push_back(value);
        return Flow::onward;
      });
    }
    values = std::move(kept);
  }
  auto* loop = make<LoopObject>(s, scope, values, depth);
  bool completed = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    step();
    loop->go_to(i);
    const Flow flow = in_scope(scope, [&](Scope& inner) {
      inner.values["loop"] = Value::object(loop);
      assign(s.target, values[i], inner);
      return execute(s.body, inner);
    });
    completed = completed || flow == Flow::onward;
    if (flow == Flow::stop) break;
  }
  if (completed) return Flow::onward;
  // As in Jinja2, `else` runs if no iteration reached the end of the body, which is also the case if break or
  // continue ended all of them.
  return in_scope(scope, [&](Scope& inner) { return execute(s.otherwise, inner); });
}

Value Run::loop_again(const Statement& loop, Scope& around, const Value& items, int depth) {
  std::string out;
  std::string* const outer = std::exchange(out_, &out);
  run_loop(loop, around, items, depth);
  out_ = outer;
  return Value::string(std::move(out));
}

/// {% set name %}...{% endset %} and {% filter f %}...{% endfilter %}
Run::Flow Run::run_block(const Statement& s, Scope& scope) {
  std::string out;
  const Flow flow = capture(s.body, scope, out);
  if (flow != Flow::onward) return flow;
  Value value = Value::string(std::move(out));
  if (s.expression) value = through_filters(*s.expression, value, scope);
  if (s.kind == StatementKind::set_block) {
    assign(s.target, value, scope);
  } else {
    print(text(value));
  }
  return Flow::onward;
}

void Run::run_call_block(const Statement& s, Scope& scope) {
  Value callee = evaluate(*s.expression->children[0], scope);
  Arguments given = arguments(*s.expression, scope);
  given.named.emplace_back("caller", Value::object(make<MacroObject>(*s.macro, scope)));
  print(text(call(callee, std::move(given))));
}

void Run::assign(const Target& target, const Value& value, Scope& scope) {
  if (target.tuple) {
    const std::vector<Value> parts = iterate(value);
    if (parts.size() != target.parts.size())
      fail("{} values cannot be assigned to {} names", parts.size(), target.parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) assign(target.parts[i], parts[i], scope);
  } else if (!target.attribute.empty()) {
    set_attribute(*this, look_up(target.name, scope), target.attribute, value);
  } else {
    scope.values[target.name] = value;
  }
}

Value Run::call_macro(const Macro& macro, Scope& around, Arguments arguments) {
  const Nested nested(*this);
  step();
  std::string out;
  std::string* const outer = std::exchange(out_, &out);
  in_scope(around, [&](Scope& scope) {
    const auto named = [&](const std::string& name) {
      return std::find_if(arguments.named.begin(), arguments.named.end(),
                          [&](const auto& a) { return a.first == name; });
    };
    const std::size_t n = macro.parameters.size();
    const std::size_t given = arguments.positional.size();
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < n; ++i) {
      const std::string& name = macro.parameters[i];
      const auto found = named(name);
      if (i < given) {
        scope.values[name] = arguments.positional[i];
      } else if (found != arguments.named.end()) {
        scope.values[name] = found->second;
        arguments.named.erase(found);
      } else {
        missing.push_back(i);
        scope.values[name] = Value::undefined(fmt::format("parameter '{}' was not provided", name));
      }
    }
    const auto caller = named("caller");
    if (macro.takes_caller && scope.values.count("caller") == 0) {
      scope.values["caller"] =
          caller != arguments.named.end() ? caller->second : Value::undefined("No caller defined");
      if (caller != arguments.named.end()) arguments.named.erase(caller);
    }
    if (macro.takes_named) {
      Dict rest;
      for (auto& [name, value] : arguments.named) rest.set(Value::string(name), value);
      scope.values["kwargs"] = Value::dict(std::move(rest));
    } else if (!arguments.named.empty()) {
      fail("the macro '{}' takes no argument '{}'", macro.name, arguments.named.front().first);
    }
    if (macro.takes_positional) {
      const auto from = arguments.positional.begin() + static_cast<std::ptrdiff_t>(std::min(n, given));
      scope.values["varargs"] = Value::sequence(SequenceKind::tuple, {from, arguments.positional.end()});
    } else if (given > n) {
      fail("the macro '{}' takes {} arguments, not {}", macro.name, n, given);
    }
    for (const std::size_t i : missing) {  // a default value can use the parameters before it
      const std::size_t first = n - macro.defaults.size();
      if (i >= first) scope.values[macro.parameters[i]] = evaluate(*macro.defaults[i - first], scope);
    }
    return execute(macro.body, scope);
  });
  out_ = outer;
  return Value::string(std::move(out));
}

std::vector<Value> Run::iterate(const Value& value) {
  if (value.is_undefined()) return {};
  if (value.is_sequence()) {
    Sequence& s = value.items();
    charge(s.values.size() * sizeof(Value));
    if (s.kind != SequenceKind::iterator) return s.values;
    if (std::exchange(s.walked, true)) return {};
    return s.values;
  }
  std::vector<Value> values;
  if (value.is_dict()) {
    charge(value.entries().pairs.size() * sizeof(Value));
    for (const auto& pair : value.entries().pairs) values.push_back(pair.first);
    return values;
  }
  if (!value.is_string()) fail("a value of type {} cannot be walked item by item", value.type_name());
  charge(value.text().size() * (sizeof(Value) + 64));
  for (std::size_t i = 0; i < value.text().size();) {
    const std::size_t begin = i;
    next_code(value.text(), i);
    values.push_back(Value::string(value.text().substr(begin, i - begin)));
  }
  return values;
}

}  // namespace rung::jinja
