// Catch2 itself, compiled once because it takes seconds.
#ifdef RUNG_CATCH2_V2
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#else
#include <catch2/catch_session.hpp>
#endif

#include "testing/run_tests.hpp"

namespace rung::testing {

int run_tests(int argc, char** argv) { return Catch::Session().run(argc, argv); }

}  // namespace rung::testing
