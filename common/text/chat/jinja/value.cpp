// Creating, comparing and printing values.

#include "text/chat/jinja/value.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "text/chat/jinja/text.hpp"

namespace rung::jinja {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::size_t kMaxWeight = std::size_t{1} << 28;

/// The depth and weight of a container, updated for each value that is added.
struct Size {
  int depth = 1;
  std::size_t weight = 4;

  void add(const Value& value) {
    depth = std::max(depth, value.depth() + 1);
    weight += value.weight() + 2;
    if (depth > kMaxDepth) fail("values are nested more than {} levels deep", kMaxDepth);
    if (weight > kMaxWeight) fail("a list or dictionary is larger than {} bytes when printed", kMaxWeight);
  }
};

/// Equal keys have equal strings: 1, 1.0 and true are the same key, as in Python.
std::string key_text(const Value& key) {
  if (key.is_string()) return std::string(1, 's').append(key.text());
  if (key.is_none()) return "n";
  if (key.is_whole()) return fmt::format("i{}", key.whole());
  if (key.is_real()) {
    const double d = key.number();
    if (d >= -9e15 && d <= 9e15 && d == static_cast<double>(static_cast<std::int64_t>(d)))
      return fmt::format("i{}", static_cast<std::int64_t>(d));
    return fmt::format("f{}", repr(d));
  }
  if (key.is(SequenceKind::tuple)) {
    std::string all = "t";
    for (const Value& part : key.items().values) {
      const std::string text = key_text(part);
      all += fmt::format("{}:{}", text.size(), text);
    }
    return all;
  }
  if (key.is_undefined()) return "u";
  fail("a value of type {} cannot be the key of a dictionary", key.type_name());
}

std::string join_repr(const std::vector<Value>& values, bool ascii) {
  std::string out;
  for (const Value& v : values) out += fmt::format("{}{}", out.empty() ? "" : ", ", v.repr(ascii));
  return out;
}

bool ordered(const Value& a) { return a.is(SequenceKind::list) || a.is(SequenceKind::tuple); }

}  // namespace

const Value* Object::attribute(Run&, const std::string&) { return nullptr; }
Value Object::call(Run&, Arguments) { fail("a {} cannot be called", describe()); }

Value Value::undefined(std::string why) {
  return Value(Data(Undefined{std::make_shared<const std::string>(std::move(why))}));
}

Value Value::sequence(SequenceKind kind, std::vector<Value> items, std::string shown) {
  Size size;
  for (const Value& v : items) size.add(v);
  return Value(Data(std::make_shared<Sequence>(
      Sequence{kind, std::move(items), std::move(shown), false, size.depth, size.weight})));
}

Value Value::dict(Dict entries) {
  Size size;
  for (const auto& [key, value] : entries.pairs) {
    size.add(key);
    size.add(value);
  }
  entries.depth = size.depth;
  entries.weight = size.weight;
  return Value(Data(std::make_shared<const Dict>(std::move(entries))));
}

Value Value::from_json(const nlohmann::ordered_json& json) {
  using Type = nlohmann::ordered_json::value_t;
  const auto text = [](const std::string& s) {
    if (!valid_utf8(s)) fail("a string in the input of the template is not valid UTF-8");
    return string(s);
  };
  switch (json.type()) {
    case Type::null:
      return none();
    case Type::boolean:
      return boolean(json.get<bool>());
    case Type::number_integer:
      return integer(json.get<std::int64_t>());
    case Type::number_unsigned:
      if (json.get<std::uint64_t>() > INT64_MAX)
        fail("the number {} in the input of the template is larger than {}", json.get<std::uint64_t>(),
             INT64_MAX);
      return integer(json.get<std::int64_t>());
    case Type::number_float:
      return real(json.get<double>());
    case Type::string:
      return text(json.get_ref<const std::string&>());
    case Type::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const auto& item : json) items.push_back(from_json(item));
      return list(std::move(items));
    }
    case Type::object: {
      Dict entries;
      for (const auto& [key, value] : json.items()) entries.set(text(key), from_json(value));
      return dict(std::move(entries));
    }
    default:
      fail("the input of the template holds binary data");
  }
}

bool Value::is(SequenceKind kind) const { return is_sequence() && items().kind == kind; }

void Value::fail_undefined() const {
  const auto& why = std::get<Undefined>(data_).why;
  fail("{}", why ? *why : "an undefined value is used");
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_real()) return number() != 0;
  if (is_whole()) return whole() != 0;
  if (is_string()) return !text().empty();
  if (is_sequence()) return items().kind == SequenceKind::iterator || !items().values.empty();
  if (is_dict()) return !entries().pairs.empty();
  return true;
}

std::string Value::str() const { return is_string() ? text() : (is_undefined() ? std::string() : repr()); }

std::string Value::repr(bool ascii) const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (is_boolean()) return truth() ? "True" : "False";
  if (is_integer()) return fmt::format("{}", whole());
  if (is_real()) return jinja::repr(number());
  if (is_string()) return jinja::repr(std::string_view(text()), ascii);
  if (is_object()) return fmt::format("<{}>", as_object().describe());
  if (is_dict()) {
    std::string out;
    for (const auto& [key, value] : entries().pairs)
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", key.repr(ascii), value.repr(ascii));
    return fmt::format("{{{}}}", out);
  }
  const Sequence& s = items();
  switch (s.kind) {
    case SequenceKind::list:
      return fmt::format("[{}]", join_repr(s.values, ascii));
    case SequenceKind::tuple:
      return fmt::format("({}{})", join_repr(s.values, ascii), s.values.size() == 1 ? "," : "");
    case SequenceKind::range:
      return s.shown;
    case SequenceKind::view:
      return fmt::format("{}([{}])", s.shown, join_repr(s.values, ascii));
    case SequenceKind::iterator:
      break;
  }
  fail("the result of a filter such as map or select cannot be printed; put '| list' or '| join' behind it");
}

std::string Value::type_name() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "NoneType";
  if (is_boolean()) return "bool";
  if (is_integer()) return "int";
  if (is_real()) return "float";
  if (is_string()) return "str";
  if (is_dict()) return "dict";
  if (is_object()) return as_object().describe();
  switch (items().kind) {
    case SequenceKind::list:
      return "list";
    case SequenceKind::tuple:
      return "tuple";
    case SequenceKind::range:
      return "range";
    case SequenceKind::view:
      return "dictionary view";
    case SequenceKind::iterator:
      break;
  }
  return "iterator";
}

bool Value::same(const Value& other) const {
  if (data_.index() != other.data_.index()) return false;
  if (is_string())
    return std::get<std::shared_ptr<const std::string>>(data_) ==
               std::get<std::shared_ptr<const std::string>>(other.data_) ||
           text() == other.text();
  if (is_sequence()) return &items() == &other.items();
  if (is_dict()) return &entries() == &other.entries();
  return equal(*this, other);
}

int Value::depth() const { return is_sequence() ? items().depth : (is_dict() ? entries().depth : 0); }

std::size_t Value::weight() const {
  if (is_string()) return text().size() + 2;
  return is_sequence() ? items().weight : (is_dict() ? entries().weight : 8);
}

const Value* Dict::find(const Value& key) const {
  const auto at = index_.find(key_text(key));
  return at == index_.end() ? nullptr : &pairs[at->second].second;
}

const Value* Dict::find(std::string_view key) const {
  const auto at = index_.find(std::string(1, 's').append(key));
  return at == index_.end() ? nullptr : &pairs[at->second].second;
}

void Dict::set(const Value& key, Value value) {
  const auto [at, fresh] = index_.try_emplace(key_text(key), pairs.size());
  if (fresh) {
    pairs.emplace_back(key, std::move(value));
  } else {
    pairs[at->second].second = std::move(value);
  }
}

bool equal(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole()) return a.whole() == b.whole();
  if (a.is_number() && b.is_number()) return a.number() == b.number();
  if (a.is_string() && b.is_string()) return a.text() == b.text();
  if (a.is_sequence() && b.is_sequence()) {
    const Sequence &x = a.items(), &y = b.items();
    if (&x == &y) return true;
    if (x.kind != y.kind || x.kind == SequenceKind::iterator) return false;
    return std::equal(x.values.begin(), x.values.end(), y.values.begin(), y.values.end(), equal);
  }
  if (a.is_dict() && b.is_dict()) {
    const Dict &x = a.entries(), &y = b.entries();
    if (x.pairs.size() != y.pairs.size()) return false;
    return std::all_of(x.pairs.begin(), x.pairs.end(), [&](const auto& pair) {
      const Value* other = y.find(pair.first);
      return other != nullptr && equal(pair.second, *other);
    });
  }
  if (a.is_object() && b.is_object()) return &a.as_object() == &b.as_object();
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

bool less(const Value& a, const Value& b) {
  if (a.is_undefined()) a.fail_undefined();
  if (b.is_undefined()) b.fail_undefined();
  if (a.is_whole() && b.is_whole()) return a.whole() < b.whole();
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_string() && b.is_string()) return a.text() < b.text();  // UTF-8 preserves the order of code points
  if (ordered(a) && ordered(b) && a.items().kind == b.items().kind) {
    const std::vector<Value>&x = a.items().values, &y = b.items().values;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (!equal(x[i], y[i])) return less(x[i], y[i]);
    }
    return x.size() < y.size();
  }
  fail("values of type {} and {} have no order", a.type_name(), b.type_name());
}

}  // namespace rung::jinja
