#pragma once
// A KV cache for texts longer than it: the first few tokens and the latest ones stay, and the blocks between
// them are dropped.
//
// Attention sinks (Xiao et al. 2023, arXiv 2309.17453): the heads of a model put the weight that they do not
// need on the first tokens, so a window that drops these tokens breaks. Positions are counted within the
// cache: when blocks are dropped, the keys after them are rotated back by as many positions, and no position
// ever reaches the length of the cache. (llama.cpp calls this a context shift.)
//
// Callers count a sequence's tokens from its beginning, as with every cache; only place() and the functions
// here know how many were dropped.

#include <functional>
#include <memory>
#include <vector>

#include "seams/kv_cache.hpp"

namespace rung {

class Transformer;

class SlidingCache final : public KvCache {
 public:
  /// Rotates the keys from position `from` of a sequence on back by `by` positions, in all layers.
  using RotateBack = std::function<void(const KvCache& cache, int seq, int from, int by)>;

  /// The first `sinks` tokens stay, rounded up to whole blocks. `context`: tokens that `cache` holds of a
  /// sequence. REQUIRES: `cache` gives every block one owner, has room for max_sequences of `context` tokens,
  /// and for two blocks besides the sinks.
  SlidingCache(std::unique_ptr<KvCache> cache, int max_sequences, int sinks, int context, RotateBack rotate);

  int open() override;
  void close(int seq) override { cache_->close(seq); }
  /// Drops the oldest blocks after the sinks until `length` tokens fit. Throws Error where the cache cannot
  /// cut blocks out of a sequence.
  bool grow(int seq, int length) override;
  void truncate(int seq, int length) override { cache_->truncate(seq, length - dropped(seq)); }
  /// False for a sequence that dropped tokens: what is left of it is no beginning of another one.
  bool share(int from, int to, int length) override {
    return dropped(from) == 0 && cache_->share(from, to, length);
  }
  std::int64_t free_slots() const override { return cache_->free_slots(); }
  int owners(int block) const override { return cache_->owners(block); }

  /// Up to where the next block is dropped, or to the end of that block.
  int step_room(int seq, int length) const override;
  int place(int seq, int begin, int count, std::vector<std::int32_t>& positions,
            std::vector<std::int32_t>& slots) const override {
    return cache_->place(seq, begin - dropped(seq), count, positions, slots);
  }

  int length(int seq) const override { return cache_->length(seq) + dropped(seq); }
  std::span<const std::int32_t> block_table(int seq) const override { return cache_->block_table(seq); }
  KvView view(int layer) const override { return cache_->view(layer); }
  std::size_t bytes() const override { return cache_->bytes(); }
  KvUse use() const override { return cache_->use(); }
  void check_integrity() const override { cache_->check_integrity(); }

 private:
  int dropped(int seq) const { return dropped_[static_cast<std::size_t>(seq)]; }

  std::unique_ptr<KvCache> cache_;
  RotateBack rotate_;
  int block_size_, first_block_, context_;
  std::vector<int> dropped_;  // tokens of each sequence, by its number in the cache
};

/// What SlidingCache needs for the keys of `transformer`, which outlives it. REQUIRES: host memory.
SlidingCache::RotateBack rotate_keys_of(const Transformer& transformer);

}  // namespace rung
