#pragma once
// One rendering of a template: its scopes, its limits, and the evaluation of its tree.
//
// Templates come from untrusted sources. A run throws an Error when it has taken too many steps, produced too
// many bytes (output and intermediate values) or nested too deeply, so it never exhausts the machine.

#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"
#include "text/chat/jinja/ast.hpp"

namespace rung::jinja {

struct Limits {
  std::int64_t steps = 20'000'000;
  std::size_t bytes = std::size_t{512} << 20;
  int depth = 400;  // maximum nesting of calls and expressions
};

/// Names and their values. A scope also sees the names of the scopes around it.
struct Scope {
  Scope* outer = nullptr;
  std::unordered_map<std::string_view, Value> values;
  bool kept = false;  // whether a macro refers to this scope
};

class Run {
 public:
  Run(const Limits& limits, std::time_t now) : limits_(limits), now_(now) {}

  /// Renders `body` with these names. Throws Error; line() then returns the line of the error.
  std::string render(const Body& body, std::unordered_map<std::string, Value> names);
  int line() const { return line_; }

  // Used by functions, filters and tests.
  void step(std::int64_t count = 1);
  void charge(std::size_t bytes);
  /// str(value). Charges the run for the result.
  std::string text(const Value& value);
  /// Returns the values that a `for` loop iterates over: list items, characters or keys. A second call for
  /// the same iterator returns nothing.
  std::vector<Value> iterate(const Value& value);
  template <class T, class... Args>
  T* make(Args&&... args) {
    charge(256);
    objects_.push_back(std::make_unique<T>(std::forward<Args>(args)...));
    return static_cast<T*>(objects_.back().get());
  }
  Value call(const Value& callee, Arguments arguments);
  Value attribute(const Value& object, const std::string& name);
  Value item(const Value& object, const Value& key);
  Value filter(const std::string& name, const Value& input, Arguments arguments);
  bool test(const std::string& name, const Value& input, Arguments arguments);
  bool contains(const Value& container, const Value& value);
  bool equals(const Value& a, const Value& b);
  std::time_t now() const { return now_; }

  /// Runs the body of a macro. Its `caller` may be undefined.
  Value call_macro(const Macro& macro, Scope& around, Arguments arguments);
  /// Runs a recursive loop once more, for `items`.
  Value loop_again(const Statement& loop, Scope& around, const Value& items, int depth);

 private:
  enum class Flow : std::uint8_t { onward, stop, next };

  Flow execute(const Body& body, Scope& scope);
  Flow execute(const Statement& s, Scope& scope);
  Flow run_loop(const Statement& s, Scope& scope, const Value& items, int depth);
  Flow run_block(const Statement& s, Scope& scope);
  void run_call_block(const Statement& s, Scope& scope);
  void assign(const Target& target, const Value& value, Scope& scope);
  /// Stores the output of `body` in `out`. The body runs in its own scope. A break or continue inside it is
  /// returned.
  Flow capture(const Body& body, Scope& scope, std::string& out);
  Flow in_scope(Scope& outer, const std::function<Flow(Scope&)>& work);
  void print(std::string_view text);

  Value evaluate(const Expression& e, Scope& scope);
  Value evaluate_here(const Expression& e, Scope& scope);
  Value look_up(const std::string& name, const Scope& scope) const;
  Value compare(const Expression& e, Scope& scope);
  Value subscript(const Expression& e, Scope& scope);
  Value slice(const Value& object, const Expression& e, Scope& scope);
  Value call(const Expression& e, Scope& scope);
  /// Passes `input` through the filters of `e`, whose innermost filter has no input of its own.
  Value through_filters(const Expression& e, const Value& input, Scope& scope);
  Arguments arguments(const Expression& e, Scope& scope);
  Scope& new_scope(Scope* outer);

  Limits limits_;
  std::time_t now_;
  int line_ = 1;
  int depth_ = 0;
  std::int64_t steps_ = 0;
  std::size_t bytes_ = 0;
  std::unordered_map<std::string, Value> names_;
  std::vector<std::unique_ptr<Scope>> scopes_;
  std::vector<std::unique_ptr<Object>> objects_;
  std::string* out_ = nullptr;
  friend struct Nested;
};

/// Counts nested calls and expressions, because the stack of a thread is limited.
struct Nested {
  explicit Nested(Run& run) : run_(run) {
    if (++run_.depth_ > run_.limits_.depth) {
      --run_.depth_;
      fail("calls and expressions are nested more than {} levels deep", run_.limits_.depth);
    }
  }
  ~Nested() { --run_.depth_; }
  Nested(const Nested&) = delete;
  Nested& operator=(const Nested&) = delete;
  Run& run_;
};

/// The bound arguments of a function, by position or name. Throws Error for missing and unknown arguments.
class Bound {
 public:
  /// `names` are the parameters in order. A parameter whose name ends in "?" is optional.
  Bound(std::string_view function, Arguments arguments, std::initializer_list<std::string_view> names);
  bool has(std::size_t i) const { return present_[i]; }
  const Value& operator[](std::size_t i) const { return values_[i]; }
  std::int64_t whole(std::size_t i) const;
  std::int64_t whole(std::size_t i, std::int64_t otherwise) const { return has(i) ? whole(i) : otherwise; }
  const std::string& text(std::size_t i) const;
  bool truth(std::size_t i, bool otherwise) const { return has(i) ? values_[i].truth() : otherwise; }

 private:
  std::string function_;
  std::vector<Value> values_;
  std::vector<bool> present_;
};

// Functions that are defined in files of their own.

using Filter = Value (*)(Run&, const Value& input, Arguments arguments);
using Test = bool (*)(Run&, const Value& input, Arguments arguments);
/// Returns null if there is no filter of this name.
Filter find_filter(const std::string& name);
Filter find_text_filter(const std::string& name);  // find_filter also searches these three
Filter find_order_filter(const std::string& name);
Filter find_sequence_filter(const std::string& name);
Test find_test(const std::string& name);
/// Whether `object` has this method.
bool has_method(const Value& object, const std::string& name);
/// Whether `name` is a method that would change `object`. Such methods exist in Python, but the sandbox of
/// transformers forbids them.
bool would_change(const Value& object, const std::string& name);
Value call_method(Run& run, const Value& object, const std::string& name, Arguments arguments);
bool is_string_method(std::string_view name);
Value call_string_method(Run& run, const std::string& text, const std::string& name, Arguments arguments);
/// Adds range, dict, namespace, raise_exception and so on to `names`.
void add_globals(Run& run, std::unordered_map<std::string, Value>& names);
/// json.dumps()
std::string to_json(Run& run, const Value& value, Arguments options);
/// template % values
std::string percent_format(Run& run, const std::string& format, const Value& values);
/// template.format(...)
std::string brace_format(Run& run, const std::string& format, const Arguments& arguments);
Value arithmetic(Run& run, const std::string& op, const Value& a, const Value& b);
/// Runs set ns.name = value. Throws Error if `object` is not a namespace.
void set_attribute(Run& run, const Value& object, const std::string& name, Value value);

}  // namespace rung::jinja
