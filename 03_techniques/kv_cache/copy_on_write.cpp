// Rung 2: a block may have several owners (Kwon et al. 2023, section 4.4). Sequences that begin alike share
// the blocks of their beginning, at the price of a count. Who writes into a block that others own gets a copy
// of it first; that can only be the last block, since the others are full. A prefix cache is one more owner.

#include <cassert>

#include "core/error.hpp"
#include "paged.hpp"

namespace rung::kv_cache {
namespace {

class CopyOnWriteKv final : public PagedKv {
 public:
  CopyOnWriteKv(const KvConfig& config, std::unique_ptr<BlockPool> (*pool)(int blocks))
      : PagedKv(config, pool), held_(static_cast<std::size_t>(blocks_), 0) {}

  bool grow(int seq, int length) override {
    Sequence& s = sequence(seq);
    const int used = s.length % config_.block_size;  // slots of the last block that are written
    if (length <= s.length || used == 0 || pool_->owners(s.table.back()) == 1)
      return PagedKv::grow(seq, length);
    const int more = blocks_for(length) - static_cast<int>(s.table.size());
    if (length > config_.max_context || more + 1 > pool_->free_blocks()) return false;
    const int own = pool_->take();
    memory_.copy(config_, s.table.back(), own, used);
    pool_->release(s.table.back());
    s.table.back() = own;
    return PagedKv::grow(seq, length);
  }

  bool share(int from, int to, int length) override {
    const auto blocks = static_cast<std::size_t>(blocks_for(length));
    assert(length <= sequence(from).length);
    adopt(to, std::span(sequence(from).table).first(blocks), length);
    return true;
  }

  bool shares_blocks() const override { return true; }
  int owners(int block) const override { return pool_->owners(block); }
  void hold(int block) override {
    pool_->share(block);
    ++held_[static_cast<std::size_t>(block)];
  }
  void drop(int block) override {
    assert(held(block) > 0);
    pool_->release(block);
    --held_[static_cast<std::size_t>(block)];
  }
  void adopt(int seq, std::span<const std::int32_t> blocks, int length) override {
    Sequence& s = sequence(seq);
    assert(s.open && s.length == 0 && static_cast<int>(blocks.size()) == blocks_for(length));
    for (const std::int32_t block : blocks) pool_->share(block);
    s.table.assign(blocks.begin(), blocks.end());
    s.length = length;
  }

 protected:
  int held(int block) const override { return held_[static_cast<std::size_t>(block)]; }

 private:
  std::vector<int> held_;  // [blocks]
};

}  // namespace

std::unique_ptr<KvCache> make_copy_on_write(const KvConfig& config,
                                            std::unique_ptr<BlockPool> (*pool)(int blocks)) {
  check_config(config);
  return std::make_unique<CopyOnWriteKv>(config, pool);
}

}  // namespace rung::kv_cache
