#pragma once
// What the rungs of this ladder share: the owners of blocks (BlockPool), and the caches that are built on it.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "seams/kv_cache.hpp"

namespace rung::kv_cache {

/// Counts the owners of every block of a cache. A block without an owner is free. The pool manages block
/// numbers, not memory. Every call is O(1). Thread safety: none.
class BlockPool {
 public:
  virtual ~BlockPool() = default;

  /// Returns a free block, which then has one owner; -1 if no block is free.
  virtual int take() = 0;
  /// Adds an owner. REQUIRES: the block has an owner.
  virtual void share(int block) = 0;
  /// Removes an owner; without owners, the block is free. REQUIRES: the block has an owner.
  virtual void release(int block) = 0;
  virtual int owners(int block) const = 0;  // 0: free
  virtual int free_blocks() const = 0;
};

/// Returns a pool of the blocks 0 .. blocks - 1, all free.
std::unique_ptr<BlockPool> free_list(int blocks);
std::unique_ptr<BlockPool> mine(int blocks);

/// Checks the numbers that all rungs need. Throws Error, or UsageError for the values of --kv-budget and
/// --block-size.
void check_config(const KvConfig& config);
/// Returns the number of slots that the configuration requests, in whole units of `unit` tokens: what its
/// budget holds, or max_sequences of max_context tokens. Throws UsageError if the budget does not hold one
/// sequence of max_context tokens, because such a sequence could never end.
std::int64_t slots_for(const KvConfig& config, int unit);
/// One allocation for all layers, and a view of each layer for attention: keys and values [slots, kv_heads *
/// head_dim].
struct LayerMemory {
  LayerMemory(const KvConfig& config, std::int64_t slots, int block_size, bool contiguous);
  DeviceBuffer buffer;
  std::vector<KvView> views;
  /// Copies the first `count` slots of region or block `from` to that of `to`, in every layer.
  void copy(const KvConfig& config, std::int64_t from, std::int64_t to, int count) const;
};

std::unique_ptr<KvCache> make_contiguous(const KvConfig& config);
std::unique_ptr<KvCache> make_paged(const KvConfig& config);
/// `pool` creates the pool of the cache's blocks.
std::unique_ptr<KvCache> make_copy_on_write(const KvConfig& config,
                                            std::unique_ptr<BlockPool> (*pool)(int blocks));

std::vector<Trial> trials(const Ladder<KvCache>& ladder);
std::vector<ExerciseStep> steps();
void register_rungs(Registry& registry);

}  // namespace rung::kv_cache
