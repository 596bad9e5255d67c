#pragma once
// One of the two generations of `rung demo`, in a process of its own.

#include <string>

#include "cli/run_generate.hpp"

namespace rung::cli {

/// Runs a generation of one sample, without log-probabilities, in a child process, so that the peak of its
/// resident memory is its own. Throws Error, which names the preset, if the child fails.
GenerateReport run_generate_in_child(const GenerateOptions& options, const std::string& prompt);

}  // namespace rung::cli
