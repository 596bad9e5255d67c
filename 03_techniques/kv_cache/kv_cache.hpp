#pragma once
// What the rungs of this ladder share: who owns which block (BlockPool), and the cache that is built on it.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "seams/kv_cache.hpp"

namespace rung::kv_cache {

/// Counts the owners of every block of a cache; a block without one is free. Numbers only, no memory.
/// Every call is O(1). Thread safety: none.
class BlockPool {
 public:
  virtual ~BlockPool() = default;

  /// A free block, which has one owner from now on; -1 when there is none.
  virtual int take() = 0;
  /// One more owner. REQUIRES: the block has one.
  virtual void share(int block) = 0;
  /// One owner less; after the last the block is free. REQUIRES: the block has one.
  virtual void release(int block) = 0;
  virtual int owners(int block) const = 0;  // 0: free
  virtual int free_blocks() const = 0;
};

/// Blocks 0 .. blocks - 1, all free.
std::unique_ptr<BlockPool> free_list(int blocks);
std::unique_ptr<BlockPool> mine(int blocks);

/// Checks the numbers that all rungs need. Throws Error, UsageError for what --kv-budget and --block-size
/// say.
void check_config(const KvConfig& config);
/// Slots for keys and values that the configuration asks for, in whole units of `unit` tokens: its budget, or
/// max_sequences of max_context tokens. Throws UsageError where the budget does not hold one sequence of
/// max_context tokens: such a sequence could never end.
std::int64_t slots_for(const KvConfig& config, int unit);
/// One allocation for all layers, and what attention sees of each. view.keys [slots, kv_heads * head_dim].
struct LayerMemory {
  LayerMemory(const KvConfig& config, std::int64_t slots, int block_size, bool contiguous);
  DeviceBuffer buffer;
  std::vector<KvView> views;
  /// Copies the first `count` slots of region or block `from` to that of `to`, in every layer.
  void copy(const KvConfig& config, std::int64_t from, std::int64_t to, int count) const;
};

std::unique_ptr<KvCache> make_contiguous(const KvConfig& config);
std::unique_ptr<KvCache> make_paged(const KvConfig& config);
/// The pool of `config`'s blocks is made by `pool`.
std::unique_ptr<KvCache> make_copy_on_write(const KvConfig& config,
                                            std::unique_ptr<BlockPool> (*pool)(int blocks));

std::vector<Trial> trials(const Ladder<KvCache>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::kv_cache
