#pragma once
// The folders that tests read and write. Functions instead of macros: only paths.cpp depends on where the
// tree lies.

#include <filesystem>

namespace rung::testing {

/// The root of the source tree.
std::filesystem::path source_dir();

/// The CMake variable RUNG_SHARED: real models and texts. It may be absent.
std::filesystem::path shared_dir();

/// The root of the build tree.
std::filesystem::path build_dir();

}  // namespace rung::testing
