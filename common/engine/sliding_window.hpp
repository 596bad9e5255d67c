#pragma once
// A KV cache for texts that are longer than the cache. It keeps the first few tokens and the latest tokens,
// and it drops the blocks between them.
//
// The first tokens are attention sinks (Xiao et al. 2023, arXiv 2309.17453): the heads of a model put
// attention weight that they do not need on them, so the output of a model becomes useless if they are
// dropped. Positions are counted within the cache. When blocks are dropped, the keys after them are rotated
// back by as many positions, so no position ever reaches the length of the cache. llama.cpp calls this a
// context shift.
//
// As with every cache, callers count the tokens of a sequence from its beginning. Only this class knows how
// many tokens were dropped.

#include <functional>
#include <memory>
#include <vector>

#include "seams/kv_cache.hpp"

namespace rung {

class Transformer;

class SlidingCache final : public KvCache {
 public:
  /// Rotates the keys of a sequence back by `by` positions, in all layers, from position `from` on.
  using RotateBack = std::function<void(const KvCache& cache, int seq, int from, int by)>;

  /// The first `sinks` tokens, rounded up to whole blocks, are never dropped. `context` is how many tokens of
  /// a sequence `cache` can hold. REQUIRES: in `cache`, every block has one owner; `cache` has room for
  /// max_sequences sequences of `context` tokens; `context` leaves room for two blocks besides the sinks.
  SlidingCache(std::unique_ptr<KvCache> cache, int max_sequences, int sinks, int context, RotateBack rotate);

  int open() override;
  void close(int seq) override { cache_->close(seq); }
  /// Drops the oldest blocks after the sinks until `length` tokens fit. Throws Error if the underlying cache
  /// cannot cut blocks out of a sequence.
  bool grow(int seq, int length) override;
  void truncate(int seq, int length) override { cache_->truncate(seq, length - dropped(seq)); }
  /// Returns false for a sequence with dropped tokens, because its remaining tokens are not the prefix of
  /// another sequence.
  bool share(int from, int to, int length) override {
    return dropped(from) == 0 && cache_->share(from, to, length);
  }
  std::int64_t free_slots() const override { return cache_->free_slots(); }
  int owners(int block) const override { return cache_->owners(block); }

  /// Returns the number of tokens that fit before a block must be dropped. If that is none, returns the size
  /// of a block, because dropping one block makes room for as many tokens.
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
  std::vector<int> dropped_;  // number of dropped tokens of each sequence, by its number in the cache
};

/// Returns a RotateBack for the keys of `transformer`, which must outlive it. REQUIRES: the cache is in host
/// memory.
SlidingCache::RotateBack rotate_keys_of(const Transformer& transformer);

}  // namespace rung
