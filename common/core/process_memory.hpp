#pragma once
// The memory of the machine and the part of it that this process uses, as the system counts it.

#include <cstddef>

namespace rung {

/// Bytes that can be allocated without swapping, if the system reports them; otherwise all memory.
double available_memory();

/// The pages of this process that are in memory now (Linux: RssAnon and RssFile of /proc/self/status; zeros
/// where the system does not say).
struct ProcessMemory {
  std::size_t private_bytes = 0;  // its own: heap, stacks, copies
  std::size_t file_bytes = 0;     // of mapped files; other processes that map the same file share them
};
ProcessMemory process_memory();

/// The largest resident set of this process so far, in bytes.
std::size_t peak_rss_bytes();

}  // namespace rung
