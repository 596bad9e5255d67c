#pragma once
// What the files of this topic share: the factories of its rungs, and the function that the learner writes.
//
// Not a public header: other code uses the seam (seams/loading.hpp) and register_rungs().

#include <memory>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "files/file_bytes.hpp"
#include "seams/loading.hpp"

namespace rung::llama_cpp {

std::unique_ptr<Loading> make_read(const LoadingConfig& config);
std::unique_ptr<Loading> make_mmap(const LoadingConfig& config);
std::unique_ptr<Loading> make_mmap_prefetch(const LoadingConfig& config);

/// The learner's rung (mine.cpp): maps `file`, so that processes share its pages. `file` is a regular file
/// that is not empty. It is closed when this function returns. Throws NotStarted until the learner has
/// written it.
std::shared_ptr<const FileBytes> mine(const InputFile& file);

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Loading>& ladder);

/// Adds the rungs of this topic to the ladder `loading`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::llama_cpp
