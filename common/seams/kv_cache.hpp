#pragma once
// Seam `kv`: stores the keys and values of past tokens.
//
// Before a step, the host calls grow(), truncate() and share(). During the step, attention reads the cache
// through a plain struct (KvView). A cache knows slots and blocks, not the mathematics of attention. It
// allocates all memory in its constructor; grow() returns false if no free memory is left.
//
// Thread safety: none; only one thread may use a cache. check_integrity() may run between any two calls.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.hpp"
#include "seams/kv_config.hpp"
#include "seams/kv_use.hpp"

namespace rung {

/// One layer's keys and values. Row s of either tensor is slot s: [slots, kv_heads * head_dim].
struct KvView {
  Tensor keys;
  Tensor values;
  std::int32_t block_size = 0;  // slots per block; Batch describes how to find the slot of a position
  bool contiguous = false;      // every sequence has exactly one block, so its rows follow each other
};

class KvCache {
 public:
  static constexpr std::string_view kSeam = "kv";
  using Config = KvConfig;

  virtual ~KvCache() = default;

  /// Opens an empty sequence and returns its number, or -1 if max_sequences are open.
  virtual int open() = 0;
  /// Frees a sequence's memory. REQUIRES: seq is open.
  virtual void close(int seq) = 0;
  /// Makes room for `length` tokens in total. If there is no room, returns false and changes nothing.
  virtual bool grow(int seq, int length) = 0;
  /// Removes all tokens from position `length` on.
  virtual void truncate(int seq, int length) = 0;
  /// Removes `blocks` blocks from a sequence, starting with block `first` of its block table. The later
  /// blocks keep their content and move towards the beginning. Returns false and changes nothing if the rung
  /// has no blocks, or if a block from `first` on has other owners. REQUIRES: the removed blocks are full.
  virtual bool cut(int /*seq*/, int /*first*/, int /*blocks*/) { return false; }
  /// Makes the empty sequence `to` start with the first `length` tokens of `from`. If there is no room,
  /// returns false and changes nothing.
  virtual bool share(int from, int to, int length) = 0;

  /// Returns the number of slots that have no owner.
  virtual std::int64_t free_slots() const = 0;

  // A prefix cache owns blocks even after their sequence has ended, and later sequences reuse them. If
  // shares_blocks() is false (one region per sequence, or copies), hold(), drop() and adopt() must not be
  // called.
  virtual bool shares_blocks() const { return false; }
  virtual int owners(int /*block*/) const { return 0; }
  /// hold() adds an owner to a block, and drop() removes one. REQUIRES: the block has an owner.
  virtual void hold(int /*block*/) { assert(false); }
  virtual void drop(int /*block*/) { assert(false); }
  /// Makes the empty sequence `seq` start with the `length` tokens in `blocks`, and an owner of each block.
  /// It may use only a part of the last block: before a shared block is written, its writer gets a copy.
  virtual void adopt(int /*seq*/, std::span<const std::int32_t> /*blocks*/, int /*length*/) { assert(false); }

  /// Returns how many tokens after the first `length` one step may compute, so that each of them sees the
  /// same tokens as in a step of its own. Only a cache that drops old tokens has a limit.
  virtual int step_room(int /*seq*/, int /*length*/) const { return std::numeric_limits<int>::max(); }

  /// Locates the tokens [begin, begin + count) of a sequence: appends the position that the model uses for
  /// each token to `positions`, and its slot to `slots`. Returns how many tokens the last of them sees,
  /// including itself. `begin` counts from the beginning of the sequence, even if the cache has dropped some
  /// tokens. REQUIRES: the cache has grown to begin + count.
  virtual int place(int seq, int begin, int count, std::vector<std::int32_t>& positions,
                    std::vector<std::int32_t>& slots) const {
    const std::int32_t block_size = view(0).block_size;
    const auto table = block_table(seq);
    for (int p = begin; p < begin + count; ++p) {
      positions.push_back(p);
      slots.push_back(table[static_cast<std::size_t>(p / block_size)] * block_size + p % block_size);
    }
    return begin + count;
  }

  virtual int length(int seq) const = 0;
  virtual std::span<const std::int32_t> block_table(int seq) const = 0;
  virtual KvView view(int layer) const = 0;

  /// Returns the bytes allocated for keys and values.
  virtual std::size_t bytes() const = 0;
  virtual KvUse use() const = 0;
  /// Throws Error if the bookkeeping is inconsistent.
  virtual void check_integrity() const = 0;
};

}  // namespace rung
