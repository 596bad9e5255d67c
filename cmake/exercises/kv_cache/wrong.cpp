// A wrong answer: a block is free after the first release, although it has other owners.

#include <vector>

#include "core/error.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

class MyPool final : public BlockPool {
 public:
  // All blocks are free.
  explicit MyPool(int blocks) : owners_(static_cast<std::size_t>(blocks), 0) {
    for (int block = blocks - 1; block >= 0; --block) free_.push_back(block);
  }

  // Step 1. Returns a free block, which then has one owner; -1 if no block is free. Test: kv_cache.mine.1
  int take() override {
    if (free_.empty()) return -1;
    const int block = free_.back();
    free_.pop_back();
    owners_[static_cast<std::size_t>(block)] = 1;
    return block;
  }
  // Step 1. Returns the number of free blocks.
  int free_blocks() const override { return static_cast<int>(free_.size()); }

  // Step 2. Removes an owner. A block whose last owner is removed is free. The block has an owner. Test:
  // kv_cache.mine.2
  void release(int block) override {
    owners_[static_cast<std::size_t>(block)] = 0;
    free_.push_back(block);
  }

  // Step 3. Adds an owner. The block has an owner. Test: kv_cache.mine.3
  void share(int block) override { ++owners_[static_cast<std::size_t>(block)]; }
  // Step 3. Returns the number of owners; 0 for a free block.
  int owners(int block) const override { return owners_[static_cast<std::size_t>(block)]; }

 private:
  std::vector<int> owners_;  // of each block
  std::vector<int> free_;    // the free blocks, as a stack
};

}  // namespace

std::unique_ptr<BlockPool> mine(int blocks) { return std::make_unique<MyPool>(blocks); }

}  // namespace rung::kv_cache
