#pragma once
// How a batch is cut into pieces of work for flash: tiles, and with split_kv chunks of a tile's keys.

#include <cstdint>
#include <vector>

#include "seams/attention.hpp"

namespace rung::attention {

struct FlashTask {
  std::int32_t token;     // first query token of the sequence; a node of a tree stands alone
  int kv_head, kv_heads;  // the first one, and how many
  int row_begin, rows;    // of each
  int first, visible;     // the keys that any of the rows sees: first .. visible - 1
  // Some chunks of them, whose states go to `partial` one after the other; or all of them.
  int key_begin = 0, key_end = 1 << 30;
  std::int64_t partial = -1;

  /// Pairs of a row and a key, as StepWork counts them.
  std::int64_t work() const { return std::int64_t{rows} * kv_heads * (visible - first); }
};

/// A tile whose chunks were computed apart.
struct FlashMerge {
  FlashTask task;
  int chunks;
};

/// All work of a step, counted in pairs of a row and a key. Tells which pieces of it are too large.
class StepWork {
 public:
  void add(std::int64_t work) { all_ += work; }
  /// Whether a piece is more than half of a thread's share: the thread that takes it last would keep the
  /// others waiting.
  bool too_large(std::int64_t piece, int threads) const { return threads > 1 && piece * 2 * threads > all_; }

 private:
  std::int64_t all_ = 0;
};

/// Upper bounds of what split_tasks() makes of the tiles of any step.
struct SplitLimits {
  std::int64_t tasks = 0;   // more than there were
  std::int64_t merges = 0;  // tiles that are cut
  std::int64_t floats = 0;  // of the states of all chunks
};
SplitLimits split_limits(const AttentionConfig& config, int chunk);

/// Cuts tasks that are too large and see more than one chunk of keys. Fills `merges`. `cut` is memory for the
/// new tasks.
void split_tasks(const AttentionConfig& config, int chunk, std::vector<FlashTask>& tasks,
                 std::vector<FlashMerge>& merges, std::vector<FlashTask>& cut);

}  // namespace rung::attention
