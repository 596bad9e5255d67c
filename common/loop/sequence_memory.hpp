#pragma once
// The memory of the sequences as a serving loop drives it: what a scheduler sees of it (KvSpace), and what
// happens when a sequence gains tokens or ends.

#include <cstdint>

#include "seams/kv_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

class SequenceMemory : public KvSpace {
 public:
  struct Counts {
    std::int64_t preemptions = 0;
    std::int64_t swaps = 0;          // sequences that were copied back from host memory
    std::int64_t forked_tokens = 0;  // shared with the sequence that they were forked from
    double prefix_s = 0;             // seconds spent in the prefix cache
  };

  /// Ends a sequence, running or not.
  virtual void close(ScheduledSequence& s) = 0;
  /// Forgets a running sequence's tokens from position `length` on.
  virtual void truncate(const ScheduledSequence& s, int length) = 0;
  /// How many tokens a running sequence has room for, in total.
  virtual int room(const ScheduledSequence& s) const = 0;
  virtual KvUse use() const = 0;

  /// A running sequence's computed tokens may be useful for others that begin in the same way.
  virtual void remember(const ScheduledSequence& /*s*/) {}
  /// Tokens of a sequence that open() would find now instead of computing them.
  virtual int known(const ScheduledSequence& /*s*/) { return 0; }
  /// Changes whenever known() may have changed.
  virtual std::int64_t known_version() const { return 0; }
  /// A step computed `tokens` in `seconds`. `prompts`: some of them were of a prompt.
  virtual void computed(int /*tokens*/, double /*seconds*/, bool /*prompts*/) {}
  virtual Counts counts() const { return {}; }
  /// Throws Error if the bookkeeping is inconsistent.
  virtual void check_integrity() const {}
};

}  // namespace rung
