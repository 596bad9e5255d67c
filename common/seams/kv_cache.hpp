#pragma once
// Seam `kv`: where the keys and values of past tokens live.
//
// The cache is asked on the host (grow, truncate, share) before a step and read by attention through
// a plain struct during it. It knows slots and blocks, not the mathematics of attention. All memory
// is taken once, in the constructor; grow() fails where there is none left.
//
// Thread safety: none; one thread drives a cache. check_integrity() may run between any two calls.

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
  std::int32_t block_size = 0;  // slots per block; see Batch for how a position finds its slot
  bool contiguous = false;      // every sequence has exactly one block: its rows follow each other
};

class KvCache {
 public:
  static constexpr std::string_view kSeam = "kv";
  using Config = KvConfig;

  virtual ~KvCache() = default;

  /// A new, empty sequence; -1 when max_sequences are open.
  virtual int open() = 0;
  /// Gives a sequence's memory back. REQUIRES: seq is open.
  virtual void close(int seq) = 0;
  /// Makes room for `length` tokens in total; false (and nothing changed) when there is none.
  virtual bool grow(int seq, int length) = 0;
  /// Forgets all tokens from position `length` on.
  virtual void truncate(int seq, int length) = 0;
  /// Takes `blocks` whole blocks out of a sequence, from its block `first` on; what lies behind moves down as
  /// it is. False, and nothing changed, where the rung has no blocks, or one of those from `first` on has
  /// other owners. REQUIRES: they are full.
  virtual bool cut(int /*seq*/, int /*first*/, int /*blocks*/) { return false; }
  /// Makes the empty sequence `to` start with the first `length` tokens of `from`; false (and nothing
  /// changed) when there is no room.
  virtual bool share(int from, int to, int length) = 0;

  /// Slots that belong to nobody.
  virtual std::int64_t free_slots() const = 0;

  // A prefix cache keeps blocks after their sequence is gone and lends them to later ones. Where
  // shares_blocks() is false (one region per sequence, or copies) the others may not be called.
  virtual bool shares_blocks() const { return false; }
  virtual int owners(int /*block*/) const { return 0; }
  /// One more, or one less, owner of a block that has one.
  virtual void hold(int /*block*/) { assert(false); }
  virtual void drop(int /*block*/) { assert(false); }
  /// The empty sequence `seq` begins with the `length` tokens in `blocks`, which gain an owner each. The last
  /// block may be used in part: whoever writes into a block that has several owners gets a copy first.
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

  /// Bytes taken for keys and values.
  virtual std::size_t bytes() const = 0;
  virtual KvUse use() const = 0;
  /// Throws Error when the bookkeeping contradicts itself.
  virtual void check_integrity() const = 0;
};

}  // namespace rung
