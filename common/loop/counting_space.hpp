#pragma once
// A sequence memory without data: it only counts blocks, and it keeps nothing of preempted sequences. It
// serves simulations that judge a scheduler or a policy. A simulation that needs prefix caches or swapping
// uses KvCacheSpace with a KV cache on a null device.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "loop/sequence_memory.hpp"

namespace rung {

class CountingSpace final : public SequenceMemory {
 public:
  /// `tokens` is the capacity in tokens, rounded down to whole blocks. `sequences` is the largest number of
  /// sequences that run at a time.
  CountingSpace(std::int64_t tokens, int block_size, int sequences)
      : block_size_(block_size),
        all_blocks_(tokens / block_size),
        free_blocks_(all_blocks_),
        free_places_(sequences) {}

  bool open(ScheduledSequence& s) override {
    if (free_places_ == 0) return false;
    --free_places_;
    s.kv = 0;
    s.computed = 0;
    blocks_.resize(std::max(blocks_.size(), static_cast<std::size_t>(s.id) + 1), 0);
    return true;
  }
  bool grow(ScheduledSequence& s, int length) override {
    const std::int64_t more = blocks_for(length) - blocks(s);
    if (more > free_blocks_) return false;
    if (more > 0) add(s, more);
    return true;
  }
  void preempt(ScheduledSequence& s) override {
    ++preemptions_;
    close(s);
    s.computed = 0;
  }
  bool has_room(std::int64_t tokens) const override { return free_blocks_ * block_size_ >= tokens; }

  void close(ScheduledSequence& s) override {
    if (s.kv < 0) return;
    add(s, -blocks(s));
    ++free_places_;
    s.kv = -1;
  }
  void truncate(const ScheduledSequence& s, int length) override {
    add(s, std::min<std::int64_t>(blocks_for(length) - blocks(s), 0));
  }
  int room(const ScheduledSequence& s) const override { return static_cast<int>(blocks(s) * block_size_); }
  KvUse use() const override {
    KvUse use;
    use.slots = all_blocks_ * block_size_;
    use.taken = use.live = (all_blocks_ - free_blocks_) * block_size_;
    return use;
  }
  Counts counts() const override { return {.preemptions = preemptions_}; }

 private:
  std::int64_t blocks_for(int length) const { return (length + block_size_ - 1) / block_size_; }
  std::int64_t blocks(const ScheduledSequence& s) const { return blocks_[static_cast<std::size_t>(s.id)]; }
  void add(const ScheduledSequence& s, std::int64_t blocks) {
    blocks_[static_cast<std::size_t>(s.id)] += blocks;
    free_blocks_ -= blocks;
  }

  std::int64_t block_size_, all_blocks_, free_blocks_;
  int free_places_;
  std::int64_t preemptions_ = 0;
  std::vector<std::int64_t> blocks_;  // number of blocks of each sequence, by id
};

}  // namespace rung
