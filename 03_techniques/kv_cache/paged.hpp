#pragma once
// A cache whose sequences are lists of blocks; paged.cpp has the rung, copy_on_write.cpp the one above.

#include "kv_cache.hpp"

namespace rung::kv_cache {

class PagedKv : public KvCache {
 public:
  PagedKv(const KvConfig& config, std::unique_ptr<BlockPool> (*pool)(int blocks));

  int open() override;
  void close(int seq) override;
  bool grow(int seq, int length) override;
  void truncate(int seq, int length) override;
  bool cut(int seq, int first, int blocks) override;
  bool share(int from, int to, int length) override;

  int length(int seq) const override { return sequence(seq).length; }
  std::span<const std::int32_t> block_table(int seq) const override { return sequence(seq).table; }
  KvView view(int layer) const override { return memory_.views[static_cast<std::size_t>(layer)]; }
  std::size_t bytes() const override { return memory_.buffer.bytes(); }
  std::int64_t free_slots() const override { return std::int64_t{pool_->free_blocks()} * config_.block_size; }
  KvUse use() const override;
  void check_integrity() const override;

 protected:
  struct Sequence {
    bool open = false;
    int length = 0;
    std::vector<std::int32_t> table;  // blocks of positions 0 .. length - 1, in order; never reallocated
  };
  Sequence& sequence(int seq) { return sequences_[static_cast<std::size_t>(seq)]; }
  const Sequence& sequence(int seq) const { return sequences_[static_cast<std::size_t>(seq)]; }
  int blocks_for(int length) const { return (length + config_.block_size - 1) / config_.block_size; }
  /// Owners of a block besides the sequences.
  virtual int held(int /*block*/) const { return 0; }

  KvConfig config_;
  int blocks_;
  LayerMemory memory_;
  std::unique_ptr<BlockPool> pool_;
  std::vector<Sequence> sequences_;  // [max_sequences]
};

}  // namespace rung::kv_cache
