#pragma once
// What a scheduler sees of the engine's memory: places and tokens, what becomes of who is preempted, and what
// is kept of who has ended.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "engine/sliding_window.hpp"
#include "loop/event_log.hpp"
#include "loop/preemption_cost.hpp"
#include "seams/device.hpp"
#include "seams/kv_cache.hpp"
#include "seams/prefix_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A preempted sequence loses its place in the cache. Where `swap_bytes` allows it, its keys and values are
/// copied to host memory first and come back with open(), if that costs less than to compute them again (Kwon
/// et al. 2023, section 4.5). Blocks of sequences that ended, or were preempted, stay with the prefix cache
/// until somebody needs them.
class EngineKvSpace final : public KvSpace {
 public:
  /// The tokens of a sequence so far, and its salt.
  struct Text {
    std::vector<std::int32_t> tokens;
    std::uint64_t salt = 0;
  };
  using TextOf = std::function<void(const ScheduledSequence& s, Text& text)>;

  /// `prefixes`: rung `none` where nothing is kept. `swap_bytes`: of host memory, taken as sequences are
  /// swapped out; 0: everything is recomputed. `log` hears who is admitted and preempted. `window`: null
  /// unless texts may outgrow the cache. Both outlive this.
  EngineKvSpace(KvCache& kv, std::unique_ptr<PrefixCache> prefixes, TextOf text_of, SlidingWindow* window,
                Device& device, int layers, std::size_t swap_bytes, const PreemptionCost& costs,
                EventLog& log);

  bool open(ScheduledSequence& s) override;
  bool grow(ScheduledSequence& s, int length) override;
  void preempt(ScheduledSequence& s) override;
  bool has_room(std::int64_t tokens) const override;

  /// The prefix cache, if there is one, becomes an owner of a running sequence's full blocks: they are not
  /// written again.
  void remember(const ScheduledSequence& s);
  /// Tokens of a sequence that open() would find in the prefix cache now.
  int known(const ScheduledSequence& s);
  /// Moves on whenever known() may have changed.
  std::int64_t prefix_version() const { return prefix_version_; }
  /// Ends a sequence, running or not.
  void close(ScheduledSequence& s);
  /// Gives up everything that is kept for later.
  void forget();

  void check_integrity() const;

  PreemptionCost& costs() { return costs_; }
  double prefix_s() const { return prefix_s_; }  // spent in the prefix cache
  std::int64_t preemptions() const { return preemptions_; }
  std::int64_t forked_tokens() const { return forked_; }
  std::int64_t swaps() const { return swaps_; }  // sequences that came back from host memory

 private:
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
  /// Whether it gave up at least one block that nobody else owns.
  bool evict(int blocks);

  KvCache& kv_;
  std::unique_ptr<PrefixCache> prefixes_;
  TextOf text_of_;
  SlidingWindow* window_;  // null: a sequence ends where the cache does
  Device& device_;
  int layers_;
  std::size_t swap_bytes_, swapped_bytes_ = 0;
  PreemptionCost costs_;
  EventLog& log_;
  int short_for_ = -1;  // who found no room last
  std::int64_t prefix_version_ = 0;
  double prefix_s_ = 0;
  std::int64_t preemptions_ = 0, swaps_ = 0, forked_ = 0;
  std::map<int, std::vector<std::byte>> swapped_;  // id -> keys and values of its `computed` tokens
  Text text_;                                      // of the sequence at hand
  std::vector<std::int32_t> blocks_;               // likewise
};

}  // namespace rung
