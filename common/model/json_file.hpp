#pragma once
// JSON from files that somebody else wrote: size checked before reading, errors as sentences,
// duplicate keys refused (the JSON library would keep the last one in silence).

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rung {

/// The largest config.json, and the largest of the files beside a tokenizer (tokenizer_config.json and its
/// like, which may contain chat templates), that are read.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTokenizerConfigBytes = std::size_t{16} << 20;

/// Parses `text`; `what` names it in sentences ("model/config.json").
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// Reads and parses a file of at most `max_bytes`.
nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes);
/// The same, with the keys of objects in the file's order.
nlohmann::ordered_json read_ordered_json_file(const std::string& path, std::size_t max_bytes);

}  // namespace rung
