// A wrong answer: a block is free again after the first release, although others own it still.

#include "kv_cache.hpp"

namespace rung::kv_cache {
namespace {

class Hasty final : public BlockPool {
 public:
  explicit Hasty(int blocks) : owners_(static_cast<std::size_t>(blocks), 0) {
    for (int b = 0; b < blocks; ++b) free_.push_back(b);
  }
  int take() override {
    if (free_.empty()) return -1;
    const int block = free_.back();
    free_.pop_back();
    owners_[static_cast<std::size_t>(block)] = 1;
    return block;
  }
  void share(int block) override { ++owners_[static_cast<std::size_t>(block)]; }
  void release(int block) override {
    owners_[static_cast<std::size_t>(block)] = 0;
    free_.push_back(block);
  }
  int owners(int block) const override { return owners_[static_cast<std::size_t>(block)]; }
  int free_blocks() const override { return static_cast<int>(free_.size()); }

 private:
  std::vector<int> owners_, free_;
};

}  // namespace

std::unique_ptr<BlockPool> mine(int blocks) { return std::make_unique<Hasty>(blocks); }

}  // namespace rung::kv_cache
