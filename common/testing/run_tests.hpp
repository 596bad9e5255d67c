#pragma once

namespace rung::testing {

/// Runs the tests of this program as Catch2's own main() does. Returns its exit status.
int run_tests(int argc, char** argv);

}  // namespace rung::testing
