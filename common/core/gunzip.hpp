#pragma once
// What gzip compressed, unpacked by zlib.

#include <string>
#include <string_view>

namespace rung {

/// Whether `data` begins as gzip files do.
bool is_gzip(std::string_view data);

/// The content of a gzip file, of one member or several. Throws Error, which calls it `name`, when it is
/// damaged, is cut short, or unpacks to more than 1 GiB.
std::string gunzip(std::string_view data, std::string_view name);

}  // namespace rung
