// The pool of the rungs: a stack of free blocks and a count of owners. The block that was given back last
// goes out first, since its memory is the likeliest to be in a cache of the processor.

#include <cassert>

#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

class FreeList final : public BlockPool {
 public:
  explicit FreeList(int blocks) : owners_(static_cast<std::size_t>(blocks), 0) {
    free_.reserve(owners_.size());
    for (int block = blocks - 1; block >= 0; --block) free_.push_back(block);
  }

  int take() override {
    if (free_.empty()) return -1;
    const int block = free_.back();
    free_.pop_back();
    owners_[static_cast<std::size_t>(block)] = 1;
    return block;
  }
  void share(int block) override {
    assert(owners(block) > 0);
    ++owners_[static_cast<std::size_t>(block)];
  }
  void release(int block) override {
    assert(owners(block) > 0);
    if (--owners_[static_cast<std::size_t>(block)] == 0) free_.push_back(block);
  }
  int owners(int block) const override { return owners_[static_cast<std::size_t>(block)]; }
  int free_blocks() const override { return static_cast<int>(free_.size()); }

 private:
  std::vector<int> free_;
  std::vector<int> owners_;  // [blocks]
};

}  // namespace

std::unique_ptr<BlockPool> free_list(int blocks) { return std::make_unique<FreeList>(blocks); }

}  // namespace rung::kv_cache
