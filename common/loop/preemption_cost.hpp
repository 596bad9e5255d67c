#pragma once
// What it costs to give a sequence's place away and bring it back: copying its keys and values to host memory
// and back, or computing its tokens again (Kwon et al. 2023, section 4.5 and figure 19).
//
//     swap       2 * bytes / (bytes copied per second)
//     recompute  tokens * (seconds per token of a step that computes prompts)
//
// Both rates are running averages of what this engine measured. The price of recomputing is an upper bound: a
// prefix cache may still have some of the blocks when the sequence comes back.
//
// Thread safety: none.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "loop/event_log.hpp"

namespace rung {

enum class PreemptMode : std::uint8_t { automatic, swap, recompute };  // automatic: what costs less
/// "auto", "swap", "recompute". Throws UsageError for another name.
PreemptMode preempt_mode(std::string_view name);

/// A mean that forgets: sums in which what was added n times ago counts (15/16)^n.
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
  /// Rates above 0 are taken as given, and nothing is learned: for tests, and for asking what another machine
  /// would do.
  PreemptionCost(PreemptMode mode, double copy_bytes_per_s, double tokens_per_s);

  /// Bytes were copied from or to the device.
  void copied(std::size_t bytes, double seconds) { copies_.add(static_cast<double>(bytes), seconds); }
  /// A step computed `tokens`. Steps that only decode count as long as no other was seen: a token that is
  /// computed again shares its step with many, like one of a prompt.
  void computed(std::int64_t tokens, double seconds, bool prompts);

  /// What becomes of a sequence with `tokens` in the cache, which are `bytes`. `swap_room`: bytes of host
  /// memory that are left; `swap_bytes`: that there are.
  PreemptReason choose(std::size_t bytes, int tokens, std::size_t swap_room, std::size_t swap_bytes);

  /// Seconds, both ways; 0 as long as no copy was measured.
  double swap_s(std::size_t bytes) const;
  /// Seconds; 0 as long as no step was measured.
  double recompute_s(int tokens) const;

 private:
  // After so many decisions against it in a row a copy is measured again: the first one pays for fresh
  // memory.
  static constexpr int kMeasureAgain = 64;
  PreemptMode mode_;
  double copy_bytes_per_s_, tokens_per_s_;
  RunningRate copies_, prompts_, steps_;
  int declined_ = 0;
};

}  // namespace rung
