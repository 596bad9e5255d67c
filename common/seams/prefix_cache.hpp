#pragma once
// Seam `prefix_cache`: finds the blocks of the KV cache that already hold the beginning of a text.
//
// The keys and values of a token depend only on the token and the tokens before it. A request that begins
// like an earlier one can therefore reuse the earlier request's blocks instead of computing them. A prefix
// cache finds these blocks. It stores tokens and block numbers, but accesses no memory of the KV cache. Its
// caller adds and removes the prefix cache's ownership of each block (KvCache::hold() and drop()).
//
// A prefix cache keeps only whole blocks. `salt` separates tenants: texts with different salts never share
// blocks. Thread safety: none.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace rung {

enum class Eviction { lru, lfu };  // least recently used, least frequently used

struct PrefixCacheConfig {
  int block_size = 16;
  Eviction eviction = Eviction::lru;

  std::string describe() const { return fmt::format("a prefix cache over blocks of {} tokens", block_size); }
};

class PrefixCache {
 public:
  static constexpr std::string_view kSeam = "prefix_cache";
  using Config = PrefixCacheConfig;

  virtual ~PrefixCache() = default;

  /// Finds the longest stored prefix of `tokens`. Sets `blocks` to the blocks that hold it, in order, and
  /// returns its length in tokens. A rung may return a prefix that ends inside the last block. The call
  /// counts as a use of these blocks.
  virtual int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
                    std::vector<std::int32_t>& blocks) = 0;

  /// Returns how many tokens match() would find now. A rung should not count this call as a use.
  virtual int peek(std::span<const std::int32_t> tokens, std::uint64_t salt) {
    std::vector<std::int32_t> blocks;
    return match(tokens, salt, blocks);
  }

  /// Inserts `blocks`, which hold the keys and values of `tokens` in order. A last block that is not full is
  /// left out. If the cache already has a block for the same tokens, it keeps that one. Appends to `kept` the
  /// blocks that are new in the cache.
  virtual void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks,
                      std::uint64_t salt, std::vector<std::int32_t>& kept) = 0;

  /// Evicts up to `count` blocks for which `may_go` returns true, and appends them to `dropped`. Evicts the
  /// last blocks of texts first.
  virtual void evict(int count, const std::function<bool(std::int32_t block)>& may_go,
                     std::vector<std::int32_t>& dropped) = 0;

  /// Returns all blocks that the cache holds, in any order.
  virtual std::vector<std::int32_t> held() const = 0;
  /// Throws Error if the bookkeeping is inconsistent.
  virtual void check_integrity() const = 0;
};

}  // namespace rung
