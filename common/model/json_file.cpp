#include "model/json_file.hpp"

#include <unordered_set>
#include <vector>

#include "core/error.hpp"
#include "model/mapped_file.hpp"

namespace rung {
namespace {

using nlohmann::json;

/// Looks at keys only. A pass of its own: the library's parser with a callback would do it in one, but at the
/// end of every object it searches the whole parent for discarded values, which is quadratic in a file with
/// many small objects (30,000 of them took it 47 seconds).
class KeyCheck final : public json::json_sax_t {
 public:
  explicit KeyCheck(const std::string& what) : what_(what) {}

  bool key(string_t& key) override {
    if (!open_.back().insert(key).second) fail("{}: the key '{}' appears twice", what_, key);
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
  std::vector<std::unordered_set<std::string>> open_;  // the keys of every object that is open
};

template <class Json>
Json parse(std::string_view text, const std::string& what) {
  try {
    KeyCheck check(what);
    json::sax_parse(text, &check);
    return Json::parse(text);
  } catch (const json::exception& error) {
    fail("{} is no valid JSON: {}", what, error.what());
  }
}

template <class Json>
Json read(const std::string& path, std::size_t max_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    fail("{} has {} bytes; at most {} are read from a file of this kind", path, file.bytes().size(),
         max_bytes);
  }
  return parse<Json>({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path);
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& what) { return parse<json>(text, what); }

nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes) {
  return read<json>(path, max_bytes);
}

nlohmann::ordered_json read_ordered_json_file(const std::string& path, std::size_t max_bytes) {
  return read<nlohmann::ordered_json>(path, max_bytes);
}

}  // namespace rung
