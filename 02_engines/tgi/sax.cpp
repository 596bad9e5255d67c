// Rung 1: no document. Rung 0 builds a tree of the whole header, a node for every number, and then walks it.
// Here the same parser calls back at every token (SAX), and four tokens of a tensor are all that is kept.
//
// What it costs: the nesting that a tree has for free must be followed by hand. Depth 1 are tensors, depth 2
// their fields, depth 3 the numbers of a field; everything below "__metadata__" or an unknown field is
// skipped.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tgi.hpp"

namespace rung::tgi {
namespace {

using nlohmann::json;

class Handler final : public json::json_sax_t {
 public:
  explicit Handler(const std::string& what) : what_(what) {}

  Entries take() { return std::move(entries_); }

  bool null() override { return other("null"); }
  bool boolean(bool) override { return other("true or false"); }
  bool number_integer(number_integer_t) override { return other("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { return other("a fraction"); }
  bool binary(binary_t&) override { return other("bytes"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (!in_numbers()) return other("a number");
    if (value > kMaxSafetensorsInteger) return other("a number beyond 2^62");
    if (field_ == "shape") {
      if (entry_.shape.size() == kMaxSafetensorsDims) {
        fail("{}: it has more than {} dimensions", where(), kMaxSafetensorsDims);
      }
      entry_.shape.push_back(static_cast<std::int64_t>(value));
    } else {
      if (offsets_ == 2) fail("{}: 'data_offsets' has more than 2 elements", where());
      (offsets_++ == 0 ? entry_.begin : entry_.end) = value;
    }
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ == 2 && !skipping() && field_ == "dtype") {
      entry_.dtype = std::move(value);
      return true;
    }
    return other("a string");
  }

  bool start_object(std::size_t) override {
    if (!skipping() && depth_ >= 2) return other("an object");
    open();
    if (depth_ == 2 && !skipping()) {
      entry_ = {};
      entry_.name = name_;
      offsets_ = 0;
    }
    return true;
  }

  bool key(string_t& value) override {
    if (!keys_.back().insert(value).second) fail("{}: the key '{}' appears twice", what_, value);
    if (depth_ == 1) {
      name_ = value;
      skip_from_ = name_ == "__metadata__" ? 1 : kNowhere;
    } else if (depth_ == 2 && skip_from_ != 1) {
      field_ = value;
      skip_from_ = known(field_) ? kNowhere : 2;
    }
    return true;
  }

  bool end_object() override {
    const bool tensor = depth_ == 2 && skip_from_ != 1;
    if (tensor) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (keys_.back().count(field) == 0) fail("{}: '{}' is missing", where(), field);
      }
      entries_.push_back(std::move(entry_));
    }
    close();
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ == 0) fail("{} is no JSON object", what_);
    if (!skipping() && (depth_ != 2 || field_ == "dtype")) return other("a list");
    open();
    return true;
  }

  bool end_array() override {
    if (depth_ == 3 && !skipping() && field_ == "data_offsets" && offsets_ != 2) {
      fail("{}: 'data_offsets' has {} elements instead of 2", where(), offsets_);
    }
    close();
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    fail("{} is no valid JSON: {}", what_, error.what());
  }

 private:
  static constexpr int kNowhere = -1;

  static bool known(const std::string& field) {
    return field == "dtype" || field == "shape" || field == "data_offsets";
  }
  // Inside a value that nobody wants: the value of the key at depth skip_from_.
  bool skipping() const { return skip_from_ != kNowhere && depth_ >= skip_from_; }
  bool in_numbers() const { return depth_ == 3 && !skipping() && field_ != "dtype"; }
  std::string where() const { return fmt::format("{}: tensor '{}'", what_, name_); }

  /// A value where none of this kind belongs: an Error, unless nobody wants it.
  bool other(const char* got) {
    if (skipping()) return true;
    if (depth_ == 0) fail("{} is no JSON object", what_);
    if (depth_ == 1) fail("{}: its description is {}, expected an object", where(), got);
    fail("{}: '{}' is or has {}; 'dtype' is a string, the others are lists of integers from 0 to 2^62",
         where(), field_, got);
  }

  void open() {
    ++depth_;
    keys_.emplace_back();
  }
  void close() {
    --depth_;
    keys_.pop_back();
  }

  const std::string& what_;
  int depth_ = 0;
  int skip_from_ = kNowhere;
  std::string name_, field_;  // the keys in force at depth 1 and 2
  SafetensorsEntry entry_;
  int offsets_ = 0;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  Entries entries_;
};

}  // namespace

Entries sax(std::string_view header, const std::string& what) {
  Handler handler(what);
  json::sax_parse(header, &handler);
  return handler.take();
}

}  // namespace rung::tgi
