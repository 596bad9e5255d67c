#pragma once
// Seam `policy`: who comes first, where not all can.
//
// The engine sorts its waiting and its running sequences by rank before every step: the first waiting one is
// admitted next, the last running one is preempted when memory is short. A policy may learn from what it is
// told. Thread safety: none; one thread drives a policy.

#include <string>
#include <string_view>

#include <fmt/core.h>

#include "seams/scheduler.hpp"

namespace rung {

struct PolicyConfig {
  double ageing_s = 10;        // waiting so long is worth one step of priority
  double input_cost = 1;       // of a token that was read, where users are charged
  double output_cost = 2;      // of a token that was generated
  double ttft_target_s = 1;    // for requests that name none
  double tpot_target_s = 0.1;  // likewise

  std::string describe() const { return fmt::format("ageing {} s", ageing_s); }
};

class Policy {
 public:
  static constexpr std::string_view kSeam = "policy";
  using Config = PolicyConfig;

  virtual ~Policy() = default;

  /// The smallest rank is served first; equal ones in order of arrival. Finite. Called for every sequence
  /// before every step, so it must be cheap.
  virtual double rank(const ScheduledSequence& s, double now_s) const = 0;

  /// Whether rank() reads matched_tokens: looking them up costs a walk through every waiting prompt.
  virtual bool wants_matches() const { return false; }

  /// A new request; its arrival_s is set.
  virtual void arrived(const ScheduledSequence& /*s*/) {}
  /// A step computed `tokens` of this sequence; `sampled`: it gained a token of output.
  virtual void computed(const ScheduledSequence& /*s*/, int /*tokens*/, bool /*sampled*/) {}
  /// It ended and will not be asked about again.
  virtual void finished(const ScheduledSequence& /*s*/) {}
};

}  // namespace rung
