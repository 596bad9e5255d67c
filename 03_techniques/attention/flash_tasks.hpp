#pragma once
// How a batch is cut into pieces of work for flash: tiles, and with split_kv chunks of a tile's keys.

#include <cstdint>
#include <vector>

#include "seams/attention.hpp"

namespace rung::attention {

struct FlashTask {
  std::int32_t token;     // first query token of the sequence
  int kv_head, kv_heads;  // the first one, and how many
  int row_begin, rows;    // of each
  int first, visible;     // the keys that any of the rows sees: first .. visible - 1
  // Some chunks of them, whose states go to `partial` one after the other; or all of them.
  int key_begin = 0, key_end = 1 << 30;
  std::int64_t partial = -1;
};

/// A tile whose chunks were computed apart.
struct FlashMerge {
  FlashTask task;
  int chunks;
};

/// Where there are fewer tasks than threads could use, cuts those that see more than one chunk of keys. Fills
/// `merges`; returns the floats that all partial states take.
std::int64_t split_tasks(const AttentionConfig& config, int chunk, std::vector<FlashTask>& tasks,
                         std::vector<FlashMerge>& merges);

}  // namespace rung::attention
