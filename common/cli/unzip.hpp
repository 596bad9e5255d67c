#pragma once
// One file out of a zip archive, through libzip.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace rung::cli {

/// Unpacks the file `entry` of `archive` and passes its bytes on in pieces of at most 1 MiB. Throws
/// SourceError when the archive is damaged, when it has no such file, or when that file does not have exactly
/// `size` bytes: a small archive can claim, or unpack to, any number of bytes.
void unzip(const std::filesystem::path& archive, const std::string& entry, std::uint64_t size,
           const std::function<void(std::span<const char>)>& on_bytes);

}  // namespace rung::cli
