// Your prefix cache, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises prefix_caching          builds this file and judges all steps
//   rung exercises prefix_caching --hint   shows one hint for the step that does not pass yet
//
// A block holds the keys and values of config.block_size tokens. They are valid only for these tokens after
// the same beginning of the text, and for the same salt. Choose your own data structure and declare it in the
// private part of the class. The simplest one is a std::map. Its key is the salt and the whole text up to the
// end of a block (std::pair<std::uint64_t, std::vector<std::int32_t>>), and its value is the block's number.

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
  explicit MyCache([[maybe_unused]] const PrefixCacheConfig& config) {}

  // Step 1. blocks[i] holds the tokens i * block_size .. (i + 1) * block_size - 1, for every whole block of
  // `tokens`. Remembers each of these blocks, unless the cache already has a block for the same text up to
  // its end: then it keeps the block that it has. Appends the blocks that it did remember to `kept`. A last
  // block that is not full is left out. Test: prefix_caching.mine.1
  void insert([[maybe_unused]] std::span<const std::int32_t> tokens,
              [[maybe_unused]] std::span<const std::int32_t> blocks, [[maybe_unused]] std::uint64_t salt,
              [[maybe_unused]] std::vector<std::int32_t>& kept) override {
    not_started("insert()");
  }
  // Step 1. Returns the numbers of all blocks in the cache, in any order.
  std::vector<std::int32_t> held() const override { not_started("held()"); }

  // Step 2. Sets `blocks` to the blocks that hold the longest known beginning of `tokens`, in order, and
  // returns the number of tokens in it. `blocks` can have contents of an earlier call. The call counts as a
  // use of these blocks. Test: prefix_caching.mine.2
  int match([[maybe_unused]] std::span<const std::int32_t> tokens, [[maybe_unused]] std::uint64_t salt,
            [[maybe_unused]] std::vector<std::int32_t>& blocks) override {
    not_started("match()");
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
};

}  // namespace

std::unique_ptr<PrefixCache> make_mine(const PrefixCacheConfig& config) {
  return std::make_unique<MyCache>(config);
}

}  // namespace rung::prefix_caching
