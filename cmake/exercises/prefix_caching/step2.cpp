// The first 2 steps of one right answer to the exercise of 03_techniques/prefix_caching.

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 03_techniques/prefix_caching/mine.cpp", function));
}

class MyCache final : public PrefixCache {
 public:
  // config.block_size is at least 1. The cache is empty.
  explicit MyCache(const PrefixCacheConfig& config) : size_(static_cast<std::size_t>(config.block_size)) {}

  // Step 1. blocks[i] holds the tokens i * block_size .. (i + 1) * block_size - 1, for every whole block of
  // `tokens`. Remembers each of these blocks, unless the cache already has a block for the same text up to
  // its end: then it keeps the block that it has. Appends the blocks that it did remember to `kept`. A last
  // block that is not full is left out. Test: prefix_caching.mine.1
  void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks, std::uint64_t salt,
              std::vector<std::int32_t>& kept) override {
    for (std::size_t i = 0; (i + 1) * size_ <= tokens.size(); ++i) {
      const auto [at, added] = known_.try_emplace(key(tokens.first((i + 1) * size_), salt), Known{blocks[i]});
      at->second.last_use = ++clock_;
      if (added) kept.push_back(blocks[i]);
    }
  }
  // Step 1. Returns the numbers of all blocks in the cache, in any order.
  std::vector<std::int32_t> held() const override {
    std::vector<std::int32_t> blocks;
    for (const auto& [text, known] : known_) blocks.push_back(known.block);
    return blocks;
  }

  // Step 2. Sets `blocks` to the blocks that hold the longest known beginning of `tokens`, in order, and
  // returns the number of tokens in it. `blocks` can have contents of an earlier call. The call counts as a
  // use of these blocks. Test: prefix_caching.mine.2
  int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
            std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    for (std::size_t end = size_; end <= tokens.size(); end += size_) {
      const auto found = known_.find(key(tokens.first(end), salt));
      if (found == known_.end()) break;
      found->second.last_use = ++clock_;
      blocks.push_back(found->second.block);
    }
    return static_cast<int>(blocks.size() * size_);
  }

  // Step 3. Removes up to `count` blocks, one after the other, and appends them to `dropped`. A block can be
  // removed if may_go(block) returns true and no known text continues after it. Removes fewer blocks only if
  // no block is left that can be removed. Choose which block goes first. Test: prefix_caching.mine.3
  void evict([[maybe_unused]] int count,
             [[maybe_unused]] const std::function<bool(std::int32_t block)>& may_go,
             [[maybe_unused]] std::vector<std::int32_t>& dropped) override {
    not_started("evict()");
  }

  // Optional: throws Error (core/error.hpp) if your data structure contradicts itself.
  void check_integrity() const override {}

 private:
  using Key = std::pair<std::uint64_t, std::vector<std::int32_t>>;
  struct Known {
    std::int32_t block = 0;
    std::int64_t last_use = 0;
  };

  static Key key(std::span<const std::int32_t> text, std::uint64_t salt) {
    return {salt, {text.begin(), text.end()}};
  }

  std::size_t size_;
  std::int64_t clock_ = 0;
  std::map<Key, Known> known_;
};

}  // namespace

std::unique_ptr<PrefixCache> make_mine(const PrefixCacheConfig& config) {
  return std::make_unique<MyCache>(config);
}

}  // namespace rung::prefix_caching
