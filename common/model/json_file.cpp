#include "model/json_file.hpp"

#include <set>
#include <vector>

#include "core/error.hpp"
#include "model/mapped_file.hpp"

namespace rung {

nlohmann::json parse_json(std::string_view text, const std::string& what) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> open_objects;
  const auto refuse_duplicates = [&](int, Event event, nlohmann::json& parsed) {
    if (event == Event::object_start) {
      open_objects.emplace_back();
    } else if (event == Event::object_end) {
      open_objects.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second) fail("{}: the key '{}' appears twice", what, key);
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, refuse_duplicates);
  } catch (const nlohmann::json::exception& error) {
    fail("{} is no valid JSON: {}", what, error.what());
  }
}

nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > max_bytes) {
    fail("{} has {} bytes; at most {} are read from a file of this kind", path, file.bytes().size(),
         max_bytes);
  }
  return parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, path);
}

}  // namespace rung
