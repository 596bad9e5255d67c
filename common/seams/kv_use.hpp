#pragma once
// How full a KV cache is.

#include <cstdint>

namespace rung {

/// What a cache did with its slots.
struct KvUse {
  std::int64_t slots = 0;  // all of them
  std::int64_t taken = 0;  // in regions or blocks that have an owner
  std::int64_t live = 0;  // part of `taken`: slots of tokens that open sequences read; shared ones count once
  // Part of `taken`: in blocks that only a prefix cache owns. They are freed as soon as they are needed.
  std::int64_t kept = 0;
  /// Reserved and not used, as a share of what is reserved (Kwon et al. 2023, arXiv 2309.06180, figure 2).
  double waste() const {
    const std::int64_t reserved = taken - kept;
    return reserved == 0 ? 0 : static_cast<double>(reserved - live) / static_cast<double>(reserved);
  }
};

}  // namespace rung
