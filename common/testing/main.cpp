// The main() of every Catch2 test, compiled once because it takes seconds.
#ifdef RUNG_CATCH2_V2
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#else
#include <catch2/catch_session.hpp>
#endif

#include <cstdio>

#include "core/error.hpp"
#include "core/simd.hpp"

int main(int argc, char** argv) {
  // Tests run once per SIMD level; on a machine without one that run is skipped, visibly.
  try {
    std::printf("SIMD level: %s\n", std::string(rung::simd_name(rung::simd_level())).c_str());
  } catch (const rung::Error& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
