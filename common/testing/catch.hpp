#pragma once
// Catch2 2 (Debian 12) and 3 (later systems) behind one include.
#ifdef RUNG_CATCH2_V2
#include <catch2/catch.hpp>
#else
#include <catch2/catch_all.hpp>
using Catch::Approx;
#endif

#include <cstdlib>
#include <filesystem>
#include <string>

#include "testing/paths.hpp"

namespace rung::testing {

/// Matches a text that contains `part`, for CHECK_THROWS_WITH.
inline auto contains(const std::string& part) {
#ifdef RUNG_CATCH2_V2
  return Catch::Matchers::Contains(part);
#else
  return Catch::Matchers::ContainsSubstring(part);
#endif
}

/// A file under RUNG_SHARED (real models and texts); empty when it is absent, after saying so.
/// Use as: const auto path = shared_file("models/x.gguf"); if (path.empty()) return;
inline std::string shared_file(const std::string& name) {
  const std::filesystem::path path = shared_dir() / name;
  if (std::filesystem::exists(path)) return path.string();
  WARN("skipped: " << path.string()
                   << " is absent; set the CMake variable RUNG_SHARED to the folder that has it");
  return {};
}

/// A file of this repository.
inline std::string source_file(const std::string& name) { return (source_dir() / name).string(); }

/// A fresh path in the build tree for a test to write to. A test that CTest runs once for each SIMD level has
/// a folder for each: they may run at the same time.
inline std::string scratch_file(const std::string& name) {
  const char* level = std::getenv("RUNG_SIMD");
  const auto folder = build_dir() / "scratch" / (level == nullptr ? "" : level);
  std::filesystem::create_directories(folder);
  return (folder / name).string();
}

}  // namespace rung::testing
