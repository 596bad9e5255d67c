#pragma once
// Unpacks gzip files, with zlib.

#include <string>
#include <string_view>

namespace rung {

/// Returns whether `data` begins with the signature of gzip files.
bool is_gzip(std::string_view data);

/// Returns the unpacked content of a gzip file with one or more members. Throws Error, whose message calls
/// the file `name`, if the data is damaged or incomplete, or if it unpacks to more than 1 GiB.
std::string gunzip(std::string_view data, std::string_view name);

}  // namespace rung
