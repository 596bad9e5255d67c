// The main() of tests that need a GPU. On a machine without a GPU, the exit code is 77 (skipped). CTest
// counts skipped tests as passed, so RUNG_REQUIRE_GPU=1 turns this case into a failure.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "devices/cuda/cuda_device.hpp"
#include "testing/run_tests.hpp"

int main(int argc, char** argv) {
  if (rung::cuda_device_count() == 0) {
    const char* require = std::getenv("RUNG_REQUIRE_GPU");
    const bool required = require != nullptr && std::string_view(require) == "1";
    std::printf("%s: there is no CUDA GPU here\n", required ? "FAILED, since RUNG_REQUIRE_GPU=1" : "skipped");
    return required ? 1 : 77;
  }
  return rung::testing::run_tests(argc, argv);
}
