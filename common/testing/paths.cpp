#include "testing/paths.hpp"

namespace rung::testing {

std::filesystem::path source_dir() { return RUNG_SOURCE_DIR; }

std::filesystem::path shared_dir() { return RUNG_SHARED_DIR; }

std::filesystem::path build_dir() { return RUNG_BINARY_DIR; }

}  // namespace rung::testing
