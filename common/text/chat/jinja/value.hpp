#pragma once
// The values of a template. They are Python's values, as far as chat templates use them.
//
// Lists and dictionaries are immutable, because transformers runs templates in a sandbox that forbids
// changes. Copies can therefore share them, no value can contain itself, and the nesting depth of a value is
// known when it is created. Only objects (namespaces, loops, macros) can change. The Run owns them, and
// values refer to them by a plain pointer.

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace rung::jinja {

class Value;
class Run;

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// A value with behavior: a function, macro, namespace or loop. Owned by the Run.
class Object {
 public:
  virtual ~Object() = default;
  /// Returns null if there is no such attribute.
  virtual const Value* attribute(Run& run, const std::string& name);
  virtual bool callable() const { return true; }
  virtual Value call(Run& run, Arguments arguments);
  virtual std::string describe() const = 0;  // "function", "namespace"
};

enum class SequenceKind : std::uint8_t {
  list,
  tuple,
  range,
  view,      // dict.items() and similar: has a length, but cannot be indexed
  iterator,  // result of filters such as map: can be iterated once
};

struct Sequence;
struct Dict;

class Value {
 public:
  struct Undefined {
    std::shared_ptr<const std::string> why;  // the message of the error that is thrown when the value is used
  };
  struct None {};

  Value() : data_(Undefined{}) {}
  static Value undefined(std::string why);
  static Value none() { return Value(Data(None{})); }
  static Value boolean(bool b) { return Value(Data(b)); }
  static Value integer(std::int64_t i) { return Value(Data(i)); }
  static Value real(double d) { return Value(Data(d)); }
  static Value string(std::string s) {
    return Value(Data(std::make_shared<const std::string>(std::move(s))));
  }
  static Value object(Object* o) { return Value(Data(o)); }
  /// Both functions throw Error if values are nested too deeply.
  static Value sequence(SequenceKind kind, std::vector<Value> items, std::string shown = {});
  static Value list(std::vector<Value> items) { return sequence(SequenceKind::list, std::move(items)); }
  static Value dict(Dict entries);
  /// Throws Error for numbers that do not fit in 64 bits and for strings that are not UTF-8.
  static Value from_json(const nlohmann::ordered_json& json);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  bool is_none() const { return std::holds_alternative<None>(data_); }
  bool is_boolean() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_real() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_boolean() || is_integer() || is_real(); }
  bool is_whole() const { return is_boolean() || is_integer(); }
  bool is_string() const { return std::holds_alternative<std::shared_ptr<const std::string>>(data_); }
  bool is_sequence() const { return std::holds_alternative<std::shared_ptr<Sequence>>(data_); }
  bool is(SequenceKind kind) const;
  bool is_dict() const { return std::holds_alternative<std::shared_ptr<const Dict>>(data_); }
  bool is_object() const { return std::holds_alternative<Object*>(data_); }

  // REQUIRES: the value is of the kind that the function returns.
  std::int64_t whole() const {
    return is_boolean() ? std::int64_t{std::get<bool>(data_)} : std::get<std::int64_t>(data_);
  }
  double number() const { return is_real() ? std::get<double>(data_) : static_cast<double>(whole()); }
  const std::string& text() const { return *std::get<std::shared_ptr<const std::string>>(data_); }
  Sequence& items() const { return *std::get<std::shared_ptr<Sequence>>(data_); }
  const Dict& entries() const { return *std::get<std::shared_ptr<const Dict>>(data_); }
  Object& as_object() const { return *std::get<Object*>(data_); }

  /// Throws Error with the reason why this value is undefined.
  [[noreturn]] void fail_undefined() const;
  bool truth() const;
  /// str() is the output of {{ }}. repr() is the form of the value inside a list, or ascii() if `ascii` is
  /// true.
  std::string str() const;
  std::string repr(bool ascii = false) const;
  /// Returns a type name such as "str" or "int" for messages.
  std::string type_name() const;
  /// Whether both are the same object, not only equal ones (`is sameas`).
  bool same(const Value& other) const;
  int depth() const;
  /// The approximate number of bytes of the printed value, and thus the cost of visiting all of it. A value
  /// can contain another value many times, so the weight can far exceed its memory. Values above a limit
  /// cannot be created.
  std::size_t weight() const;

 private:
  using Data = std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const std::string>,
                            std::shared_ptr<Sequence>, std::shared_ptr<const Dict>, Object*>;
  explicit Value(Data data) : data_(std::move(data)) {}
  Data data_;
};

/// Sequence::shown of the tuples that the filter groupby creates: their two parts have names.
inline constexpr const char* kGroup = "group";

struct Sequence {
  SequenceKind kind = SequenceKind::list;
  std::vector<Value> values;
  std::string shown;    // the printed form of a range; the beginning of a printed view; kGroup
  bool walked = false;  // an iterator can be iterated only once
  int depth = 1;
  std::size_t weight = 1;
};

/// A dictionary that keeps the order of insertion, as Python's does.
struct Dict {
  std::vector<std::pair<Value, Value>> pairs;
  int depth = 1;
  std::size_t weight = 1;

  /// Returns null if the key is absent. Throws Error for values that cannot be keys (lists, dictionaries).
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value);

 private:
  std::unordered_map<std::string, std::size_t> index_;
};

bool equal(const Value& a, const Value& b);
/// Whether a < b. Throws Error for types that have no order.
bool less(const Value& a, const Value& b);

}  // namespace rung::jinja
