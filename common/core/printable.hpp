#pragma once
// Formats values for a terminal or a message: text from untrusted files, numbers with a unit, and sizes.

#include <cstdint>
#include <string>
#include <string_view>

namespace rung {

/// Returns `text` with its control characters replaced by escape sequences ("\x1b", "\n"). Therefore a name
/// in a model's file cannot move the cursor, add a line, or truncate a message with a zero byte. With
/// keep_lines, line feeds remain unchanged.
std::string printable(std::string_view text, bool keep_lines = false);

/// Returns a number with its unit: "1 token", "5 tokens".
std::string counted(std::int64_t number, std::string_view unit);

/// Returns a size in decimal units: "98.4 MB", "1.23 GB".
std::string size_text(std::uint64_t bytes);

}  // namespace rung
