// The default reader of safetensors headers.

#include "files/safetensors_header.hpp"

#include "core/error.hpp"
#include "files/json_file.hpp"

namespace rung {
namespace {

using nlohmann::json;

std::uint64_t integer(const std::string& where, const char* key, const json& item) {
  if (!item.is_number_unsigned() || item.get<std::uint64_t>() > kMaxSafetensorsInteger) {
    fail("{}: '{}' has an element that is no integer from 0 to 2^62", where, key);
  }
  return item.get<std::uint64_t>();
}

const json& list(const std::string& where, const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) fail("{}: '{}' is missing or no list", where, key);
  return *found;
}

class PlainReader final : public SafetensorsReader {
 public:
  std::vector<SafetensorsEntry> read(std::string_view header, const std::string& what) const override {
    const json document = parse_json(header, what);
    if (!document.is_object()) fail("{} is no JSON object", what);
    std::vector<SafetensorsEntry> entries;
    for (const auto& [name, object] : document.items()) {
      if (name == "__metadata__") continue;
      const std::string where = fmt::format("{}: tensor '{}'", what, name);
      if (!object.is_object()) fail("{}: its description is no JSON object", where);
      SafetensorsEntry entry;
      entry.name = name;
      const auto dtype = object.find("dtype");
      if (dtype == object.end() || !dtype->is_string()) fail("{}: 'dtype' is missing or no string", where);
      entry.dtype = dtype->get<std::string>();
      const json& shape = list(where, object, "shape");
      if (shape.size() > kMaxSafetensorsDims) {
        fail("{}: it has {} dimensions; at most {} are allowed", where, shape.size(), kMaxSafetensorsDims);
      }
      for (const json& size : shape) {
        entry.shape.push_back(static_cast<std::int64_t>(integer(where, "shape", size)));
      }
      const json& offsets = list(where, object, "data_offsets");
      if (offsets.size() != 2) fail("{}: 'data_offsets' has {} elements instead of 2", where, offsets.size());
      entry.begin = integer(where, "data_offsets", offsets[0]);
      entry.end = integer(where, "data_offsets", offsets[1]);
      entries.push_back(std::move(entry));
    }
    return entries;
  }
};

}  // namespace

const SafetensorsReader& default_safetensors_reader() {
  static const PlainReader reader;
  return reader;
}

}  // namespace rung
