#pragma once
// Values on their way to a terminal or into a sentence: text from files of strangers, sizes.

#include <cstdint>
#include <string>
#include <string_view>

namespace rung {

/// `text` with its control characters written out ("\x1b", "\n"), so that a name in a model's file can
/// neither move the cursor nor forge a line nor, by a byte of value 0, cut a sentence short. With keep_lines,
/// line feeds stay.
std::string printable(std::string_view text, bool keep_lines = false);

/// "98.4 MB", "1.23 GB". Decimal units.
std::string size_text(std::uint64_t bytes);

}  // namespace rung
