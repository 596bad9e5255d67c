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
#include <utility>

#include "attention.hpp"
#include "flash_tasks.hpp"
#include "flash_tile.hpp"

namespace rung::attention {

constexpr int kSplitKeys = 512;
static_assert(kSplitKeys % kTileKeys == 0);

namespace {

/// Chunks that follow each other are read without a pause: four pieces for each thread are enough.
constexpr int kPiecesPerThread = 4;

}  // namespace

// Fewer than 2 * threads tasks can be more than half of a thread's share.
SplitLimits split_limits(const AttentionConfig& config, int chunk) {
  if (chunk == 0 || config.threads == 1) return {};
  const std::int64_t merges = 2 * config.threads;
  std::int64_t chunks = (config.max_context - 1) / chunk + 1;
  if (config.window > 0) chunks = std::min<std::int64_t>(chunks, (config.window + kTileRows) / chunk + 2);
  std::int64_t rows = merges * kTileRows;
  if (config.max_tokens > 0) rows = std::min(rows, std::int64_t{config.max_tokens} * config.heads);
  return {.tasks = merges * std::min<std::int64_t>(chunks, kPiecesPerThread * config.threads),
          .merges = merges,
          .floats = rows * chunks * flash_partial_floats(1, config.head_dim)};
}

void split_tasks(const AttentionConfig& config, int chunk, std::vector<FlashTask>& tasks,
                 std::vector<FlashMerge>& merges, std::vector<FlashTask>& cut) {
  merges.clear();
  cut.clear();
  StepWork step;
  for (const FlashTask& task : tasks) step.add(task.work());
  std::int64_t floats = 0;
  for (const FlashTask& task : tasks) {
    const int first_chunk = task.first / chunk, chunks = (task.visible - 1) / chunk - first_chunk + 1;
    if (chunks == 1 || !step.too_large(task.work(), config.threads)) {
      cut.push_back(task);
      continue;
    }
    merges.push_back({task, chunks});
    merges.back().task.partial = floats;
    const int together =
        (chunks + kPiecesPerThread * config.threads - 1) / (kPiecesPerThread * config.threads);
    for (int c = 0; c < chunks; c += together) {
      const int count = std::min(together, chunks - c);
      FlashTask piece = task;
      piece.key_begin = (first_chunk + c) * chunk;
      piece.key_end = piece.key_begin + count * chunk;
      piece.partial = floats;
      floats += count * flash_partial_floats(task.rows * task.kv_heads, config.head_dim);
      cut.push_back(piece);
    }
  }
  std::swap(tasks, cut);
}

std::unique_ptr<Attention> make_split_kv(const AttentionConfig& config) {
  return make_flash(config, kSplitKeys);
}

}  // namespace rung::attention
