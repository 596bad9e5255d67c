#include "measure/report_json.hpp"

#include <nlohmann/json.hpp>

namespace rung {

Json rungs_json(const std::map<std::string, std::string>& rungs) {
  Json json = Json::object();
  for (const auto& [seam, name] : rungs) json[seam] = name;
  return json;
}

}  // namespace rung
