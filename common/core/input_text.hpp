#pragma once
// Texts that a job reads as a whole.

#include <string>
#include <string_view>

namespace rung {

/// The content of the file at `path`, which nothing in this process replaces from now on
/// (core/output_file.hpp); "-" is standard input. What gzip compressed is unpacked. `what` names it in
/// errors: "the trace". Throws Error when it cannot be read to its end.
std::string read_input(const std::string& path, std::string_view what);

}  // namespace rung
