#pragma once
// Text from files of strangers, on its way to the terminal.

#include <string>
#include <string_view>

namespace rung::cli {

/// `text` with its control characters written out ("\x1b", "\n"), so that a name in a model's file can
/// neither move the cursor nor forge a line. With keep_lines, line feeds stay.
std::string printable(std::string_view text, bool keep_lines = false);

}  // namespace rung::cli
