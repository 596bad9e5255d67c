#pragma once
// How full a KV cache is.

#include <cstdint>

namespace rung {

/// The use of a cache's slots.
struct KvUse {
  std::int64_t slots = 0;  // all slots
  std::int64_t taken = 0;  // slots in regions or blocks that have an owner
  /// Part of `taken`: slots whose tokens open sequences read. A shared slot counts once.
  std::int64_t live = 0;
  /// Part of `taken`: slots in blocks that only a prefix cache owns. These blocks are freed when a sequence
  /// needs their memory.
  std::int64_t kept = 0;
  /// Returns the share of the reserved slots that is not used (Kwon et al. 2023, arXiv 2309.06180, figure 2).
  double waste() const {
    const std::int64_t reserved = taken - kept;
    return reserved == 0 ? 0 : static_cast<double>(reserved - live) / static_cast<double>(reserved);
  }
};

}  // namespace rung
