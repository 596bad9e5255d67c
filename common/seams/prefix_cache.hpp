#pragma once
// Seam `prefix_cache`: which blocks of the KV cache hold the beginning of a text that is known already.
//
// Keys and values of a token depend on the tokens before it and on nothing else. So a request that begins
// like an earlier one may take over its blocks instead of computing them. A prefix cache finds them: it knows
// tokens and numbers of blocks, no memory. Whoever drives it owns the blocks in its name (KvCache::hold and
// drop).
//
// Only whole blocks are kept. `salt` keeps tenants apart: texts with different salts never share.
// Thread safety: none.

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

  /// The longest known beginning of `tokens`: fills `blocks`, which hold it in order, and returns how many
  /// tokens it is. The last block may be known in part, if the rung can tell. Counts as a use of these
  /// blocks.
  virtual int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
                    std::vector<std::int32_t>& blocks) = 0;

  /// How many tokens match() would find now. For who only asks: a rung should not count it as a use.
  virtual int peek(std::span<const std::int32_t> tokens, std::uint64_t salt) {
    std::vector<std::int32_t> blocks;
    return match(tokens, salt, blocks);
  }

  /// `blocks` hold the keys and values of `tokens`, in order; a last block that is not full is left out.
  /// Appends to `kept` the blocks that the cache holds from now on and did not before. Where it has a block
  /// for the same tokens already, it keeps that one.
  virtual void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks,
                      std::uint64_t salt, std::vector<std::int32_t>& kept) = 0;

  /// Gives up blocks, ends of texts first, until `count` are given up or none is left for which `may_go` is
  /// true. Appends them to `dropped`.
  virtual void evict(int count, const std::function<bool(std::int32_t block)>& may_go,
                     std::vector<std::int32_t>& dropped) = 0;

  /// All blocks that it holds, in any order.
  virtual std::vector<std::int32_t> held() const = 0;
  /// Throws Error when the bookkeeping contradicts itself.
  virtual void check_integrity() const = 0;
};

}  // namespace rung
