#pragma once
// Keeps the memory of sequences in a KV cache. Preempted sequences are swapped out or recomputed, and a
// prefix cache keeps the blocks of sequences that ended. With a cache on a null device, it serves
// simulations.

#include <cstddef>
#include <vector>

#include "loop/event_log.hpp"
#include "loop/preemption_cost.hpp"
#include "loop/sequence_memory.hpp"
#include "loop/swap_area.hpp"
#include "seams/device.hpp"
#include "seams/kv_cache.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A preempted sequence loses its place in the cache. If there is room in the host memory of `swap_bytes`,
/// and if copying costs less than computing the keys and values again, they are first copied there, and
/// open() copies them back (Kwon et al. 2023, section 4.5). The prefix cache keeps the blocks of sequences
/// that ended or will be recomputed until their memory is needed.
class KvCacheSpace final : public SequenceMemory {
 public:
  /// `kv`, `prefixes`, `device` and `log` outlive this object. `prefixes` is the rung `none` if nothing
  /// should be kept. `layers` is the number of layers of the cache. `swap_bytes` is the host memory for
  /// preempted sequences; 0: every preempted sequence is recomputed. `log` records admissions and
  /// preemptions. REQUIRES: every ScheduledSequence that is passed to this object is a Sequence.
  KvCacheSpace(KvCache& kv, PrefixCache& prefixes, Device& device, int layers, std::size_t swap_bytes,
               const PreemptionCost& costs, EventLog& log);

  bool open(ScheduledSequence& s) override;
  bool grow(ScheduledSequence& s, int length) override;
  void preempt(ScheduledSequence& s) override;
  bool has_room(std::int64_t tokens) const override;

  /// Makes the prefix cache, if there is one, an owner of the sequence's full blocks, which are never written
  /// again.
  void remember(const ScheduledSequence& s) override;
  int known(const ScheduledSequence& s) override;
  std::int64_t known_version() const override { return prefix_version_; }
  void close(ScheduledSequence& s) override;
  void truncate(const ScheduledSequence& s, int length) override { kv_.truncate(s.kv, length); }
  int room(const ScheduledSequence& s) const override { return kv_.length(s.kv); }
  KvUse use() const override { return kv_.use(); }
  void computed(int tokens, double seconds, bool prompts) override {
    costs_.computed(tokens, seconds, prompts);
  }
  Counts counts() const override { return {preemptions_, swaps_, forked_, prefix_s_}; }
  void check_integrity() const override;

  /// Evicts all blocks that only the prefix cache owns.
  void forget();

 private:
  /// Sets text_ to all tokens of a sequence so far, and returns its cache salt.
  std::uint64_t read_text(const ScheduledSequence& s);
  /// Visits the keys and values of a sequence's first `length` tokens in all layers, as contiguous runs of
  /// memory in a fixed order.
  template <class Visit>
  void each_run(int kv, int length, Visit visit) const;
  /// Lets an opened sequence share the tokens that it has in common with the sequence from which it was
  /// forked. Returns whether that was possible.
  bool share_fork(ScheduledSequence& s);
  /// If a sequence continues in the middle of a block that has other owners, it needs a free block for its
  /// own copy. If there is no free block, this function makes the sequence continue at the start of the
  /// shared block. Otherwise the sequence could wait for a block that it prevents from becoming free itself.
  void leave_room_for_copy(ScheduledSequence& s);
  /// Copies the last block of a sequence if the block has other owners. Returns false if the last block is
  /// full, or if there is no free block for the copy.
  bool own_last_block(const ScheduledSequence& s);
  /// Asks the prefix cache to evict `blocks` blocks that have no other owner. Returns whether it evicted at
  /// least one.
  bool evict(int blocks);

  KvCache& kv_;
  PrefixCache& prefixes_;
  Device& device_;
  int layers_;
  SwapArea swap_;
  PreemptionCost costs_;
  EventLog& log_;
  int short_for_ = -1;  // the sequence for which grow() last found no room
  std::int64_t prefix_version_ = 0;
  double prefix_s_ = 0;
  std::int64_t preemptions_ = 0, swaps_ = 0, forked_ = 0;
  std::vector<std::int32_t> text_;    // all tokens of the current sequence
  std::vector<std::int32_t> blocks_;  // blocks of a lookup, an insertion or an eviction
};

}  // namespace rung
