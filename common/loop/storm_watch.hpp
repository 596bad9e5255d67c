#pragma once
// Detects preemption storms, in which sequences take each other's memory in turn, so that an engine mostly
// computes tokens again that it had computed before.

#include <algorithm>
#include <cstdint>

namespace rung {

class StormWatch {
 public:
  static constexpr int kWindow = 64;               // steps that are judged together
  static constexpr int kLeastPreemptions = 4;      // a window with fewer preemptions is not a storm
  static constexpr double kMostPerFinished = 2;    // preemptions per request that ended in the window
  static constexpr double kMostRecomputed = 0.25;  // share of the tokens that the window computed

  /// Numbers since the engine was built or, from window(), of one window.
  struct Counts {
    std::int64_t steps = 0, computed_tokens = 0, recomputed_tokens = 0, preemptions = 0, finished = 0;
  };

  /// Must be called after every step. Returns true at the end of each window of kWindow steps that was a
  /// storm; window() then returns the numbers of this window.
  bool after_step(const Counts& so_far) {
    if (so_far.steps - begin_.steps < kWindow) return false;
    window_ = {so_far.steps - begin_.steps, so_far.computed_tokens - begin_.computed_tokens,
               so_far.recomputed_tokens - begin_.recomputed_tokens, so_far.preemptions - begin_.preemptions,
               so_far.finished - begin_.finished};
    begin_ = so_far;
    if (window_.preemptions < kLeastPreemptions) return false;
    const auto preemptions = static_cast<double>(window_.preemptions);
    // Long texts may end in another window, so this assumes that at least kLeastPreemptions requests ended.
    const auto finished = static_cast<double>(std::max<std::int64_t>(window_.finished, kLeastPreemptions));
    return preemptions > kMostPerFinished * finished || recomputed_share() > kMostRecomputed;
  }
  const Counts& window() const { return window_; }
  double recomputed_share() const {
    return window_.computed_tokens == 0 ? 0
                                        : static_cast<double>(window_.recomputed_tokens) /
                                              static_cast<double>(window_.computed_tokens);
  }

 private:
  Counts begin_, window_;
};

}  // namespace rung
