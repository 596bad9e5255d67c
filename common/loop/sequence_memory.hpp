#pragma once
// The memory of sequences as a serving loop uses it. It adds to the scheduler's interface (KvSpace) what the
// loop does when a sequence gains tokens or ends.

#include <cstdint>

#include "seams/kv_cache.hpp"
#include "seams/scheduler.hpp"

namespace rung {

class SequenceMemory : public KvSpace {
 public:
  struct Counts {
    std::int64_t preemptions = 0;
    std::int64_t swaps = 0;          // sequences that were copied back from host memory
    std::int64_t forked_tokens = 0;  // tokens that forks share with the sequences they continue
    double prefix_s = 0;             // seconds spent in the prefix cache
  };

  /// Frees the memory of a sequence that ends, whether it runs or not.
  virtual void close(ScheduledSequence& s) = 0;
  /// Forgets the tokens of a running sequence from position `length` on.
  virtual void truncate(const ScheduledSequence& s, int length) = 0;
  /// Returns the total number of tokens for which a running sequence has room.
  virtual int room(const ScheduledSequence& s) const = 0;
  virtual KvUse use() const = 0;

  /// Keeps the computed tokens of a running sequence for later sequences with the same prefix.
  virtual void remember(const ScheduledSequence& /*s*/) {}
  /// Returns how many tokens of a sequence need not be computed if open() is called now.
  virtual int known(const ScheduledSequence& /*s*/) { return 0; }
  /// Returns a number that changes whenever the result of known() may have changed.
  virtual std::int64_t known_version() const { return 0; }
  /// Reports that a step computed `tokens` in `seconds`. `prompts` says whether some of them were prompt
  /// tokens.
  virtual void computed(int /*tokens*/, double /*seconds*/, bool /*prompts*/) {}
  virtual Counts counts() const { return {}; }
  /// Throws Error if the bookkeeping is inconsistent.
  virtual void check_integrity() const {}
};

}  // namespace rung
