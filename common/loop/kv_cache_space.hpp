#pragma once
// The memory of the sequences in a KV cache: preempted sequences are swapped out or recomputed, and a prefix
// cache keeps the blocks of sequences that ended. Over a cache on a null device it serves simulations.

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

/// A preempted sequence loses its place in the cache. Where `swap_bytes` allows it, its keys and values are
/// copied to host memory first and come back with open(), if that costs less than to compute them again (Kwon
/// et al. 2023, section 4.5). Blocks of sequences that ended, or were preempted, stay with the prefix cache
/// until their memory is needed.
class KvCacheSpace final : public SequenceMemory {
 public:
  /// `kv`, `prefixes` (rung `none` if nothing is kept), `device` and `log` outlive this. `layers`: of the
  /// cache. `swap_bytes`: host memory for preempted sequences; 0: everything is recomputed. `log` records
  /// admissions and preemptions. Every sequence that this is given is a Sequence.
  KvCacheSpace(KvCache& kv, PrefixCache& prefixes, Device& device, int layers, std::size_t swap_bytes,
               const PreemptionCost& costs, EventLog& log);

  bool open(ScheduledSequence& s) override;
  bool grow(ScheduledSequence& s, int length) override;
  void preempt(ScheduledSequence& s) override;
  bool has_room(std::int64_t tokens) const override;

  /// The prefix cache, if there is one, becomes an owner of the sequence's full blocks, which are not written
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

  /// Gives up everything that the prefix cache keeps.
  void forget();

 private:
  /// Sets text_ to all tokens of a sequence so far; returns its salt.
  std::uint64_t read_text(const ScheduledSequence& s);
  /// Visits the rows of a sequence's first `length` tokens in all layers, as runs of memory in a fixed order.
  template <class Visit>
  void each_run(int kv, int length, Visit visit) const;
  /// Whether an opened sequence could take over what it has in common with the one that it was forked from.
  bool share_fork(ScheduledSequence& s);
  /// A sequence that begins in the middle of a block which others own too will need a block for its copy.
  /// Where there is none it begins at the block's border, or it might wait for a block that it keeps from
  /// becoming free.
  void leave_room_for_copy(ScheduledSequence& s);
  /// Copies the last block of a sequence if others own it too. False when there is no block for the copy.
  bool own_last_block(const ScheduledSequence& s);
  /// Whether it gave up at least one block that has no other owner.
  bool evict(int blocks);

  KvCache& kv_;
  PrefixCache& prefixes_;
  Device& device_;
  int layers_;
  SwapArea swap_;
  PreemptionCost costs_;
  EventLog& log_;
  int short_for_ = -1;  // the sequence that found no room last
  std::int64_t prefix_version_ = 0;
  double prefix_s_ = 0;
  std::int64_t preemptions_ = 0, swaps_ = 0, forked_ = 0;
  std::vector<std::int32_t> text_;    // all tokens of the sequence at hand
  std::vector<std::int32_t> blocks_;  // of the same sequence
};

}  // namespace rung
