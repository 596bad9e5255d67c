#pragma once
// JSON from files that somebody else wrote: size checked before reading, errors as sentences,
// duplicate keys refused (the JSON library would keep the last one in silence).

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The largest config.json, and the largest of the files beside a tokenizer (tokenizer_config.json and its
/// like, which may contain chat templates), that are read.
inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTokenizerConfigBytes = std::size_t{16} << 20;

/// Parses `text`; `what` names it in sentences ("model/config.json").
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// Keys in the order of the file, which JSON does not give a meaning and some programs do: those of the
/// document's object under "", those of an object directly in it under its own key.
using JsonKeyOrder = std::map<std::string, std::vector<std::string>>;

/// Reads and parses a file of at most `max_bytes`; fills `order` where it is wanted.
nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes, JsonKeyOrder* order = nullptr);

}  // namespace rung
