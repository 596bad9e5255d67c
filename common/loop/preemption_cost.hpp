#pragma once
// The cost of preempting a sequence and resuming it later: either its keys and values are copied to host
// memory and back, or its tokens are computed again (Kwon et al. 2023, section 4.5 and figure 19).
//
//     swap       2 * bytes / (bytes copied per second)
//     recompute  tokens * (seconds per token of a step that computes prompts)
//
// Both rates are running averages of this engine's measurements. The cost of recomputing is an upper bound,
// because a prefix cache may still have some of the blocks when the sequence resumes.
//
// Thread safety: none.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "loop/event_log.hpp"

namespace rung {

enum class PreemptMode : std::uint8_t { automatic, swap, recompute };  // automatic: the cheaper of the two
/// Returns the mode called "auto", "swap" or "recompute". Throws UsageError for another name.
PreemptMode preempt_mode(std::string_view name);

/// An exponentially weighted mean: a value that was added n calls ago has the weight (15/16)^n.
class RunningRate {
 public:
  void add(double amount, double seconds) {
    amount_ = amount_ * kMemory + amount;
    seconds_ = seconds_ * kMemory + seconds;
  }
  bool known() const { return amount_ > 0 && seconds_ > 0; }
  double per_second() const { return amount_ / seconds_; }  // REQUIRES: known()

 private:
  static constexpr double kMemory = 15.0 / 16;
  double amount_ = 0, seconds_ = 0;
};

class PreemptionCost {
 public:
  /// A rate above 0 is used instead of the measured one. This serves tests, and the simulation of another
  /// machine's decisions.
  PreemptionCost(PreemptMode mode, double copy_bytes_per_s, double tokens_per_s);

  /// Reports that `bytes` were copied from or to the device in `seconds`.
  void copied(std::size_t bytes, double seconds) { copies_.add(static_cast<double>(bytes), seconds); }
  /// Reports that a step computed `tokens` in `seconds`. `prompts` says whether it computed prompt tokens.
  /// Steps that only decode are used only until the first step with prompt tokens, because recomputed tokens
  /// share their step with many others, as prompt tokens do.
  void computed(std::int64_t tokens, double seconds, bool prompts);

  /// Decides how to preempt a sequence that has `tokens` tokens, or `bytes` bytes, in the cache. `swap_room`
  /// is the size of the largest free piece of host memory, and `swap_bytes` is the size of all of it.
  PreemptReason choose(std::size_t bytes, int tokens, std::size_t swap_room, std::size_t swap_bytes);

  /// Returns the seconds for copying `bytes` out and back, or 0 if no copy was measured yet.
  double swap_s(std::size_t bytes) const;
  /// Returns the seconds for computing `tokens` again, or 0 if no step was measured yet.
  double recompute_s(int tokens) const;

 private:
  // After this many consecutive decisions against copying, a copy is measured again, because the first copy
  // was slow: it touched fresh memory.
  static constexpr int kMeasureAgain = 64;
  PreemptMode mode_;
  double copy_bytes_per_s_, tokens_per_s_;
  RunningRate copies_, prompts_, steps_;
  int declined_ = 0;
};

}  // namespace rung
