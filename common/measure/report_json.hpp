#pragma once
// JSON helpers that the reports of measurements share.

#include <nlohmann/json_fwd.hpp>

#include "engine/engine.hpp"

namespace rung {

/// JSON whose keys keep the order in which they are added, because people read it, too.
using Json = nlohmann::ordered_json;

/// Returns {"seam": "rung", ...}, in alphabetical order of the seams.
Json rungs_json(const std::map<std::string, std::string>& rungs);

}  // namespace rung
