// Rung 2: tiles that stay in cache (Dao et al. 2022, arXiv 2205.14135; the loop order is that of
// FlashAttention-2, Dao 2023). Rung 1 reads all of K and V for every row and every head. Here up to 64
// rows go through K and V together, 64 keys at a time, and the heads of a group are rows of the same tile:
// a key that was fetched from memory serves all of them. flash_tile.cpp has the arithmetic of one tile.
//
// This file cuts a batch into tiles. A row is worked on by one thread, from its first key up, in steps that
// end where the position is a multiple of 64, whatever rows stand beside it: so its result is bitwise the
// same in every batch. With a window, steps that lie before it are never taken.

#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <vector>

#include "attention.hpp"
#include "core/simd.hpp"
#include "flash_tasks.hpp"
#include "flash_tile.hpp"

namespace rung::attention {
namespace {

class FlashAttention : public Attention {
 public:
  FlashAttention(const AttentionConfig& config, int chunk)
      : config_(config),
        chunk_(chunk),
        scratch_floats_(flash_scratch_floats(config.head_dim)),
        scratch_(hwy::AllocateAligned<float>(static_cast<std::size_t>(config.threads * scratch_floats_))) {
    simd_level();  // before Highway's first dispatch
  }

  void plan(const Batch& batch) override {
    plan_tokens(config_, batch, plan_);
    blocks_ = batch.block_table.data();
    const int group = config_.heads / config_.kv_heads;
    tasks_.clear();
    // A short tile (decode) takes several KV heads: their rows lie side by side in memory, and whoever reads
    // on from one to the next has them fetched in time. All of them, unless threads would be left without
    // work.
    const int pieces = enough_tiles(batch) ? 1 : config_.threads;
    const int share = (config_.kv_heads + pieces - 1) / pieces;
    for (const BatchSequence& s : batch.sequences) {
      const int all_rows = s.query_count * group;
      const int past = s.context_length - s.query_count;
      for (int begin = 0; begin < all_rows; begin += kTileRows) {
        const int rows = std::min(kTileRows, all_rows - begin);
        const int oldest = past + begin / group + 1;  // what the first row sees, but for a window
        const int first = config_.window > 0 ? std::max(0, oldest - config_.window) : 0;
        const int visible = past + (begin + rows - 1) / group + 1;
        const int together = std::min(share, kTileRows / rows);
        for (int h = 0; h < config_.kv_heads; h += together) {
          tasks_.push_back(
              {s.query_begin, h, std::min(together, config_.kv_heads - h), begin, rows, first, visible});
        }
      }
    }
    if (chunk_ > 0) partials_.resize(static_cast<std::size_t>(split_tasks(config_, chunk_, tasks_, merges_)));
    // Later rows see more keys. Long tasks first, so that no thread is left with one at the end.
    std::reverse(tasks_.begin(), tasks_.end());
  }

  using Attention::run;
  void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) override {
    check_view(config_, kv);
    const Call call{config_, plan_, blocks_, q, kv, out, lse, {}};
    parallel_for_dynamic(config_.threads, static_cast<std::int64_t>(tasks_.size()), [&](std::int64_t i) {
      const FlashTile tile = tile_of(call, tasks_[static_cast<std::size_t>(i)]);
      flash_tile(tile, scratch_.get() + thread_index() * scratch_floats_);
    });
    parallel_for_dynamic(config_.threads, static_cast<std::int64_t>(merges_.size()), [&](std::int64_t i) {
      const FlashMerge& merge = merges_[static_cast<std::size_t>(i)];
      flash_merge(tile_of(call, merge.task), merge.chunks);
    });
  }

 private:
  /// Whether every thread finds work where a tile takes all KV heads: no piece is more than half its share.
  bool enough_tiles(const Batch& batch) const {
    const int group = config_.heads / config_.kv_heads;
    std::int64_t all = 0, largest = 0;
    for (const BatchSequence& s : batch.sequences) {
      const std::int64_t rows = std::int64_t{s.query_count} * group;
      const int seen = config_.window > 0 ? config_.window + s.query_count - 1 : s.context_length;
      const int keys = std::min(s.context_length, seen);
      all += rows * keys;
      largest = std::max(
          largest, std::min<std::int64_t>(rows, kTileRows) * (chunk_ > 0 ? std::min(chunk_, keys) : keys));
    }
    return largest * 2 * config_.threads <= all;
  }

  FlashTile tile_of(const Call& call, const FlashTask& task) {
    const int group = config_.heads / config_.kv_heads;
    const HeadRow row = call.whole_past(task.token, task.kv_head * group);
    FlashTile tile;
    tile.q = row.q;
    tile.out = row.out;
    tile.lse = row.lse;
    tile.q_stride = call.q.stride;
    tile.out_stride = call.out.stride;
    tile.lse_stride = call.lse.stride;
    tile.keys = row.keys;
    tile.values = row.values;
    tile.key_stride = row.key_stride;
    tile.value_stride = row.value_stride;
    tile.table = row.table;
    tile.kv_dtype = config_.kv_dtype;
    tile.group = group;
    tile.row_begin = task.row_begin;
    tile.rows = task.rows;
    tile.kv_heads = task.kv_heads;
    tile.first_visible = row.visible;
    tile.head_dim = config_.head_dim;
    tile.window = config_.window;
    tile.scale = config_.scale;
    tile.softcap = config_.softcap;
    tile.chunk = chunk_;
    tile.key_begin = task.key_begin;
    tile.key_end = task.key_end;
    tile.partial = task.partial < 0 ? nullptr : partials_.data() + task.partial;
    return tile;
  }

  AttentionConfig config_;
  int chunk_;
  std::vector<TokenPlan> plan_;
  const std::int32_t* blocks_ = nullptr;  // of the step's batch
  std::vector<FlashTask> tasks_;
  std::vector<FlashMerge> merges_;
  std::vector<float> partials_;
  std::int64_t scratch_floats_;
  hwy::AlignedFreeUniquePtr<float[]> scratch_;  // [threads, scratch_floats_], on cache line borders
};

}  // namespace

std::unique_ptr<Attention> make_flash(const AttentionConfig& config, int chunk) {
  return std::make_unique<FlashAttention>(config, chunk);
}

}  // namespace rung::attention
