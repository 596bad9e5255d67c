#pragma once
// The memory of the machine and the part of it that this process uses, as reported by the system.

#include <cstddef>

namespace rung {

/// Returns the bytes that can be allocated without swapping. If the system does not report them, returns the
/// bytes of all memory.
double available_memory();

/// The pages of this process that are in memory now (RssAnon and RssFile of /proc/self/status on Linux). Both
/// numbers are 0 if the system does not report them.
struct ProcessMemory {
  std::size_t private_bytes = 0;  // memory of this process alone: heap, stacks, copies
  std::size_t file_bytes = 0;     // pages of mapped files, shared with other processes that map the same file
};
ProcessMemory process_memory();

/// Returns the largest resident set size of this process so far, in bytes.
std::size_t peak_rss_bytes();

}  // namespace rung
