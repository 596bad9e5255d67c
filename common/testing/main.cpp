// The main() of every Catch2 test that does not bring its own.
#include <cstdio>

#include "core/error.hpp"
#include "core/simd.hpp"
#include "core/waiting.hpp"
#include "testing/run_tests.hpp"

int main(int argc, char** argv) {
  rung::choose_waiting(argv);
  // Tests run once per SIMD level; on a machine without one that run is skipped, visibly.
  try {
    std::printf("SIMD level: %s\n", std::string(rung::simd_name(rung::simd_level())).c_str());
  } catch (const rung::Error& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  return rung::testing::run_tests(argc, argv);
}
