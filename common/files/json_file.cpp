#include "files/json_file.hpp"

#include <unordered_set>
#include <vector>

#include "core/error.hpp"
#include "files/mapped_file.hpp"

namespace rung {
namespace {

using nlohmann::json;

/// Looks at keys only. A pass of its own: the library's parser with a callback would do it in one, but at the
/// end of every object it searches the whole parent for discarded values, which is quadratic in a file with
/// many small objects (30,000 of them took it 47 seconds).
class KeyCheck final : public json::json_sax_t {
 public:
  KeyCheck(const std::string& what, JsonKeyOrder* order) : what_(what), order_(order) {}

  bool key(string_t& key) override {
    if (!open_.back().insert(key).second) fail("{}: the key '{}' appears twice", what_, key);
    if (order_ != nullptr && open_.size() <= 2) (*order_)[open_.size() == 1 ? "" : outer_].push_back(key);
    if (open_.size() == 1) outer_ = key;
    return true;
  }
  bool start_object(std::size_t) override {
    open_.emplace_back();
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
    fail("{} is no valid JSON: {}", what_, error.what());
  }

 private:
  const std::string& what_;
  JsonKeyOrder* order_;
  std::string outer_;                                  // the key at the top that we are under
  std::vector<std::unordered_set<std::string>> open_;  // the keys of every object that is open
};

json parse(std::string_view text, const std::string& what, JsonKeyOrder* order) {
  try {
    KeyCheck check(what, order);
    json::sax_parse(text, &check);
    return json::parse(text);
  } catch (const json::exception& error) {
    fail("{} is no valid JSON: {}", what, error.what());
  }
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& what) {
  return parse(text, what, nullptr);
}

nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes, JsonKeyOrder* order) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    fail("{} has {} bytes; at most {} are read from a file of this kind", path, file.bytes().size(),
         max_bytes);
  }
  return parse({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path, order);
}

}  // namespace rung
