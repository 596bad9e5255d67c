#pragma once
// Runs a small program and turns an error into a message on stderr and an exit status.

#include <cstdio>

#include "core/error.hpp"

namespace rung {

/// Returns the exit status of `run(argc, argv)`, which returns an int. If it throws an Error, the sentence is
/// written to stderr after the program's name, and the status is 2 for a UsageError and 1 for any other
/// Error. Other exceptions pass through.
template <class Run>
int run_program(const char* name, int argc, char** argv, const Run& run) {
  try {
    return run(argc, argv);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 2;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace rung
