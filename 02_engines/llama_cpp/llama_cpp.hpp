#pragma once
// What the files of this topic share: the factories of its rungs, and the functions that the learner writes.
//
// Not a public header: other code uses the seam (seams/loading.hpp) and register_rungs().

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "files/file_bytes.hpp"
#include "seams/loading.hpp"

namespace rung::llama_cpp {

std::unique_ptr<Loading> make_read(const LoadingConfig& config);
std::unique_ptr<Loading> make_mmap(const LoadingConfig& config);
std::unique_ptr<Loading> make_mmap_prefetch(const LoadingConfig& config);

// The exercise, mine.cpp: one function per step. All of them throw NotStarted until they are written.

/// Step 1. Maps all of `file`, read-only, in pages that processes share, and returns its bytes. Throws Error
/// if the system cannot map it.
std::span<const std::byte> my_map(const InputFile& file);
/// Step 2. Returns the pages of `page` bytes that are completely inside `part`.
std::span<const std::byte> my_whole_pages(std::span<const std::byte> part, std::size_t page);
/// Step 3. Returns an object that has the mapping of `file` and can release parts of it. `file` is closed
/// when this function returns.
std::shared_ptr<const FileBytes> mine(const InputFile& file);

std::vector<ExerciseStep> steps();

/// The workloads of trials.cpp.
std::vector<Trial> make_trials(const Ladder<Loading>& ladder);

/// Adds the rungs of this topic to the ladder `loading`, bottom first.
void register_rungs(Registry& registry);

}  // namespace rung::llama_cpp
