// Rung 3: one long decode on many threads (Flash-Decoding: Dao, Haziza, Massa, Sizov 2023,
// crfm.stanford.edu/2023/10/12/flashdecoding.html). Decoding one sequence, flash has a task per KV head or a
// few of them: one thread may have all the keys and the others none. Here the keys are cut into chunks that
// any thread may take. A chunk leaves its mix of values, its largest score and its sum of weights; adding two
// chunks is the step of rung 1, once per chunk instead of once per key.
//
// A row must have the same bits in every batch and with any number of threads. So a chunk ends where the
// position is a multiple of kSplitKeys, for every row, also where nothing is cut apart: then the tile adds
// its chunks itself (flash_tile.cpp), in the same order. Up to kSplitKeys positions this rung has the bits of
// flash.

#include <algorithm>

#include "attention.hpp"
#include "flash_tasks.hpp"
#include "flash_tile.hpp"

namespace rung::attention {

constexpr int kSplitKeys = 512;
static_assert(kSplitKeys % kTileKeys == 0);

std::int64_t split_tasks(const AttentionConfig& config, int chunk, std::vector<FlashTask>& tasks,
                         std::vector<FlashMerge>& merges) {
  merges.clear();
  // None more than half a thread's share, and the last one to finish leaves little to wait for.
  std::int64_t all = 0, largest = 0;
  for (const FlashTask& task : tasks) {
    const std::int64_t work = std::int64_t{task.rows} * task.kv_heads * (task.visible - task.first);
    all += work;
    largest = std::max(largest, work);
  }
  if (largest * 2 * config.threads <= all || config.threads == 1) return 0;
  std::vector<FlashTask> pieces;
  std::int64_t floats = 0;
  for (const FlashTask& task : tasks) {
    const int first_chunk = task.first / chunk, chunks = (task.visible - 1) / chunk - first_chunk + 1;
    if (chunks == 1) {
      pieces.push_back(task);
      continue;
    }
    merges.push_back({task, chunks});
    merges.back().task.partial = floats;
    // Chunks that follow each other are read without a pause: four pieces for each thread are enough.
    const int together = (chunks + 4 * config.threads - 1) / (4 * config.threads);
    for (int c = 0; c < chunks; c += together) {
      const int count = std::min(together, chunks - c);
      FlashTask piece = task;
      piece.key_begin = (first_chunk + c) * chunk;
      piece.key_end = piece.key_begin + count * chunk;
      piece.partial = floats;
      floats += count * flash_partial_floats(task.rows * task.kv_heads, config.head_dim);
      pieces.push_back(piece);
    }
  }
  tasks = std::move(pieces);
  return floats;
}

std::unique_ptr<Attention> make_split_kv(const AttentionConfig& config) {
  return make_flash(config, kSplitKeys);
}

}  // namespace rung::attention
