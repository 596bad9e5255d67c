#pragma once
// Reads JSON from external files. Their size is checked before they are read, and duplicate keys are
// rejected, because the JSON library would silently keep the last one.

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

/// The largest allowed sizes of config.json and of the files next to a tokenizer (such as
/// tokenizer_config.json, which can contain chat templates).
inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxTokenizerConfigBytes = std::size_t{16} << 20;

/// Parses `text`. `what` is its name in error messages ("model/config.json").
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// Keys in the order of the file. JSON gives this order no meaning, but some programs do. The keys of the
/// document's object are under "", and those of an object directly in it are under its own key.
using JsonKeyOrder = std::map<std::string, std::vector<std::string>>;

/// Reads and parses a file of at most `max_bytes`. Fills `order` if it is not null.
nlohmann::json read_json_file(const std::string& path, std::size_t max_bytes, JsonKeyOrder* order = nullptr);

}  // namespace rung
