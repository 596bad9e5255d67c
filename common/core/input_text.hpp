#pragma once
// Reads the whole text of a file or of standard input.

#include <string>
#include <string_view>

namespace rung {

/// Returns the content of the file at `path`, or of standard input if `path` is "-". Content that gzip
/// compressed is unpacked. Nothing in this process can replace the file from now on (core/output_file.hpp).
/// Error messages call the file `what`, for example "the trace". Throws Error if the file cannot be read to
/// its end.
std::string read_input(const std::string& path, std::string_view what);

}  // namespace rung
