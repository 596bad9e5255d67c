#pragma once
// Parses numbers as Python's int() and float() do, independently of the locale.

#include <cstdint>
#include <optional>
#include <string_view>

namespace rung::jinja {

/// int(text, base). Accepts digits of every script, white space around them, single underscores between them,
/// and a prefix such as 0x if the base allows it. Returns nothing if Python would raise ValueError. Throws
/// Error if the number does not fit in 64 bits. REQUIRES: valid UTF-8; a base from 2 to 36, or 0, which means
/// that the prefix determines the base.
std::optional<std::int64_t> parse_whole(std::string_view text, int base);

/// float(text). Returns nothing if Python would raise ValueError. REQUIRES: valid UTF-8.
std::optional<double> parse_real(std::string_view text);

/// Returns the double nearest to decimal digits with an optional point and exponent ("2.5e-3"), or infinity
/// if the number is larger than every double. REQUIRES: this form, without a sign.
double nearest_real(std::string_view digits);

}  // namespace rung::jinja
