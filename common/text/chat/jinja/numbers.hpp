#pragma once
// Numbers in texts, as Python's int() and float() read them. Independent of the locale.

#include <cstdint>
#include <optional>
#include <string_view>

namespace rung::jinja {

/// int(text, base): digits of every script, white space around them, single underscores between them, a
/// prefix such as 0x where the base allows it. Nothing when Python would raise ValueError. Throws Error when
/// the number does not fit 64 bits. REQUIRES: valid UTF-8; base 2 to 36, or 0 (the prefix decides).
std::optional<std::int64_t> parse_whole(std::string_view text, int base);

/// float(text). Nothing when Python would raise ValueError. REQUIRES: valid UTF-8.
std::optional<double> parse_real(std::string_view text);

/// The number nearest to decimal digits with an optional point and exponent ("2.5e-3"); infinity when it is
/// larger than every double. REQUIRES: that form, without a sign.
double nearest_real(std::string_view digits);

}  // namespace rung::jinja
