// The first step of one right answer to the exercise of 03_techniques/kv_cache.

#include <vector>

#include "core/error.hpp"
#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

[[noreturn]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/kv_cache/mine.cpp", function));
}

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
  void release([[maybe_unused]] int block) override { not_started("release()"); }

  // Step 3. Adds an owner. The block has an owner. Test: kv_cache.mine.3
  void share([[maybe_unused]] int block) override { not_started("share()"); }
  // Step 3. Returns the number of owners; 0 for a free block.
  int owners([[maybe_unused]] int block) const override { not_started("owners()"); }

 private:
  std::vector<int> owners_;  // of each block
  std::vector<int> free_;    // the free blocks, as a stack
};

}  // namespace

std::unique_ptr<BlockPool> mine(int blocks) { return std::make_unique<MyPool>(blocks); }

}  // namespace rung::kv_cache
