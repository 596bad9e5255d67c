#pragma once
// What memory there is and what of it this process uses, as the system counts it.

#include <cstddef>

namespace rung {

/// Bytes that can be taken without pushing anybody out, where the system says so; else all there are.
double available_memory();

/// The pages of this process that are in memory now (Linux: RssAnon and RssFile of /proc/self/status; zeros
/// where the system does not say).
struct ProcessMemory {
  std::size_t private_bytes = 0;  // its own: heap, stacks, copies
  std::size_t file_bytes = 0;     // of mapped files; other processes that map the same file share them
};
ProcessMemory process_memory();

}  // namespace rung
