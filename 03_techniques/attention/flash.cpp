// Rung 2: tiles that stay in cache (Dao et al. 2022, arXiv 2205.14135; the loop order is that of
// FlashAttention-2, Dao 2023). Rung 1 reads all of K and V for every row and every head. Here up to 64
// rows go through K and V together, 64 keys at a time, and the heads of a group are rows of the same tile:
// a key that was fetched from memory serves all of them. flash_tile.cpp has the arithmetic of one tile.
//
// This file cuts a batch into tiles. A row is worked on by one thread, from its first key up, in steps that
// end where the position is a multiple of 64, whatever rows stand beside it: so its result is bitwise the
// same in every batch. With a window, steps that lie before it are never taken.
//
// A node of a tree of drafts has tiles of its own, because its neighbors see other keys. Its positions count
// along its path, and so do its steps.

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
        tile_floats_(flash_scratch_floats(config.head_dim)),
        partial_floats_(split_limits(config, chunk).floats),
        scratch_(config.place, "attention",
                 static_cast<std::size_t>(config.threads * tile_floats_ + partial_floats_) * sizeof(float) +
                     table_entries(config) * sizeof(std::int32_t)) {
    simd_level();  // before Highway's first dispatch
    if (config.max_tokens == 0) return;
    // No tile is without a token, and a token has more than one tile for a KV head only where its group of
    // heads fills more than one.
    const std::int64_t tiles =
        std::int64_t{config.max_tokens} * config.kv_heads * ((group() + kTileRows - 1) / kTileRows);
    const SplitLimits split = split_limits(config, chunk);
    plan_.reserve(static_cast<std::size_t>(config.max_tokens));
    tasks_.reserve(static_cast<std::size_t>(tiles + split.tasks));
    if (chunk == 0) return;
    cut_.reserve(tasks_.capacity());
    merges_.reserve(static_cast<std::size_t>(split.merges));
  }

  void plan(const Batch& batch) override {
    plan_tokens(config_, batch, plan_);
    blocks_ = batch.block_table.data();
    tasks_.clear();
    // A short tile (decode) takes several KV heads: their rows lie side by side in memory, and whoever reads
    // on from one to the next has them fetched in time. All of them, unless threads would be left without
    // work.
    const int pieces = enough_tiles(batch) ? 1 : config_.threads;
    const int share = (config_.kv_heads + pieces - 1) / pieces;
    for (const BatchSequence& s : batch.sequences) {
      const std::int32_t end = s.query_begin + s.query_count, drafts = end - s.drafts;
      add_tiles(s.query_begin, s.query_count - s.drafts, s.context_length - s.query_count, share);
      for (std::int32_t token = drafts; token < end; ++token) {
        add_tiles(token, 1, plan_[static_cast<std::size_t>(token)].visible - 1, share);
      }
    }
    if (chunk_ > 0) split_tasks(config_, chunk_, tasks_, merges_, cut_);
    // Later rows see more keys. Long tasks first, so that no thread is left with one at the end.
    std::reverse(tasks_.begin(), tasks_.end());
  }

  using Attention::run;
  void run(const Tensor& q, const KvView& kv, const Tensor& out, const Tensor& lse) override {
    check_view(config_, kv);
    auto* tables = reinterpret_cast<std::int32_t*>(partials() + partial_floats_);
    const Call call{config_, plan_, blocks_, q, kv, out, lse, {}, tables};
    parallel_for_dynamic(config_.threads, static_cast<std::int64_t>(tasks_.size()), [&](std::int64_t i) {
      const FlashTile tile = tile_of(call, tasks_[static_cast<std::size_t>(i)]);
      flash_tile(tile, tile_scratch() + thread_index() * tile_floats_);
    });
    parallel_for_dynamic(config_.threads, static_cast<std::int64_t>(merges_.size()), [&](std::int64_t i) {
      const FlashMerge& merge = merges_[static_cast<std::size_t>(i)];
      flash_merge(tile_of(call, merge.task), merge.chunks);
    });
  }

  std::size_t scratch_bytes() const override {
    return own_bytes(config_, scratch_) + plan_.capacity() * sizeof(TokenPlan) +
           (tasks_.capacity() + cut_.capacity()) * sizeof(FlashTask) +
           merges_.capacity() * sizeof(FlashMerge);
  }

 private:
  int group() const { return config_.heads / config_.kv_heads; }

  /// Tiles of `tokens` rows from `token` on, the first of which sees `past` keys before its own.
  void add_tiles(std::int32_t token, int tokens, int past, int share) {
    const int all_rows = tokens * group();
    for (int begin = 0; begin < all_rows; begin += kTileRows) {
      const int rows = std::min(kTileRows, all_rows - begin);
      const int oldest = past + begin / group() + 1;  // what the first row sees, but for a window
      const int first = config_.window > 0 ? std::max(0, oldest - config_.window) : 0;
      const int visible = past + (begin + rows - 1) / group() + 1;
      const int together = std::min(share, kTileRows / rows);
      for (int h = 0; h < config_.kv_heads; h += together) {
        tasks_.push_back({token, h, std::min(together, config_.kv_heads - h), begin, rows, first, visible});
      }
    }
  }

  /// Whether every thread finds work where a tile takes all KV heads.
  bool enough_tiles(const Batch& batch) const {
    StepWork step;
    std::int64_t largest = 0;
    for (const BatchSequence& s : batch.sequences) {
      const std::int64_t rows = std::int64_t{s.query_count} * group();
      const int seen = config_.window > 0 ? config_.window + s.query_count - 1 : s.context_length;
      const int keys = std::min(s.context_length, seen);
      step.add(rows * keys);
      largest = std::max(
          largest, std::min<std::int64_t>(rows, kTileRows) * (chunk_ > 0 ? std::min(chunk_, keys) : keys));
    }
    return !step.too_large(largest, config_.threads);
  }

  FlashTile tile_of(const Call& call, const FlashTask& task) {
    // Asking ahead begins at the step's first key, which may lie before the window.
    const int begin = std::max(task.first / kTileKeys * kTileKeys, task.key_begin);
    const int end = std::min(task.visible, task.key_end);
    const HeadRow row = call.whole_past(task.token, task.kv_head * group(), begin, end);
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
    tile.group = group();
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
    tile.partial = task.partial < 0 ? nullptr : partials() + task.partial;
    return tile;
  }

  // The scratch memory: tiles [threads, tile_floats_], the states of chunks [partial_floats_], and block
  // tables of nodes of trees [threads, max_context].
  float* tile_scratch() const { return static_cast<float*>(scratch_.data()); }
  float* partials() const { return tile_scratch() + config_.threads * tile_floats_; }

  AttentionConfig config_;
  int chunk_;
  std::int64_t tile_floats_, partial_floats_;
  ScratchMemory scratch_;
  std::vector<TokenPlan> plan_;
  const std::int32_t* blocks_ = nullptr;  // of the step's batch
  std::vector<FlashTask> tasks_, cut_;
  std::vector<FlashMerge> merges_;
};

}  // namespace

std::unique_ptr<Attention> make_flash(const AttentionConfig& config, int chunk) {
  return std::make_unique<FlashAttention>(config, chunk);
}

}  // namespace rung::attention
