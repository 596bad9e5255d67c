#pragma once
// The clock of a serving loop: the machine's clock, or a simulated one, which does not wait.

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "core/timer.hpp"

namespace rung {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Returns the seconds since the clock was created.
  virtual double seconds() const = 0;
  /// Waits until seconds() is `until_s`. May return earlier, so the caller must check the time again.
  virtual void wait_until(double until_s) = 0;
};

/// The machine's steady clock. Waits at most a millisecond at a time, so that a loop notices new work.
class MachineClock final : public Clock {
 public:
  double seconds() const override { return timer_.seconds(); }
  void wait_until(double until_s) override {
    constexpr double kLongest = 1e-3;
    const double wait_s = std::min(until_s - seconds(), kLongest);
    if (wait_s > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait_s));
  }

 private:
  Timer timer_;
};

/// A clock that its owner advances.
class SimulatedClock final : public Clock {
 public:
  double seconds() const override { return now_s_; }
  void wait_until(double until_s) override { advance_to(std::min(until_s, next_event_s)); }
  void advance_to(double s) { now_s_ = std::max(now_s_, s); }

  /// wait_until() does not advance the clock beyond this time, at which something happens that its caller
  /// does not know about.
  double next_event_s = std::numeric_limits<double>::infinity();

 private:
  double now_s_ = 0;
};

}  // namespace rung
