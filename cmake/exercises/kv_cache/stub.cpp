// The pool of blocks behind a KV cache whose sequences share blocks, in three steps. The lesson beside this
// file explains them. Judge with
//
//   rung exercises kv_cache          builds this file and judges all steps
//   rung exercises kv_cache --hint   shows one hint for the step that does not pass yet
//
// The pool has the blocks 0 .. blocks - 1. It manages their numbers, not their memory. Every function must
// take constant time, however many blocks there are.

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
  explicit MyPool([[maybe_unused]] int blocks) {}

  // Step 1. Returns a free block, which then has one owner; -1 if no block is free. Test: kv_cache.mine.1
  int take() override { not_started("take()"); }
  // Step 1. Returns the number of free blocks.
  int free_blocks() const override { not_started("free_blocks()"); }

  // Step 2. Removes an owner. A block whose last owner is removed is free. The block has an owner. Test:
  // kv_cache.mine.2
  void release([[maybe_unused]] int block) override { not_started("release()"); }

  // Step 3. Adds an owner. The block has an owner. Test: kv_cache.mine.3
  void share([[maybe_unused]] int block) override { not_started("share()"); }
  // Step 3. Returns the number of owners; 0 for a free block.
  int owners([[maybe_unused]] int block) const override { not_started("owners()"); }
};

}  // namespace

std::unique_ptr<BlockPool> mine(int blocks) { return std::make_unique<MyPool>(blocks); }

}  // namespace rung::kv_cache
