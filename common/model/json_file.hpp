#pragma once
// JSON from files that somebody else wrote: size checked before reading, errors as sentences,
// duplicate keys refused (the JSON library would keep the last one in silence).

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rung {

/// Parses `text`; `what` names it in sentences ("model/config.json").
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// Reads and parses a file of at most `max_bytes`.
nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes);

}  // namespace rung
