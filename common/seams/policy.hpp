#pragma once
// Seam `policy`: which requests are served first if the engine cannot serve all of them at once.
//
// Before every step, the engine sorts its waiting and its running sequences by rank. The first waiting
// sequence is admitted next. The last running sequence is preempted if memory is short. A policy may learn
// from the events that are reported to it. Thread safety: none; only one thread may use a policy.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "seams/scheduler.hpp"

namespace rung {

struct PolicyConfig {
  double aging_s = 10;         // waiting for this many seconds is worth one step of priority
  double input_cost = 1;       // cost of a token of the prompt, for policies that charge users
  double output_cost = 2;      // cost of a generated token, for policies that charge users
  double ttft_target_s = 1;    // target for the time to the first token, for requests without one
  double tpot_target_s = 0.1;  // target for the time per output token, for requests without one

  std::string describe() const { return fmt::format("aging {} s", aging_s); }
};

class Policy {
 public:
  static constexpr std::string_view kSeam = "policy";
  using Config = PolicyConfig;

  virtual ~Policy() = default;

  /// Returns the rank of a sequence, a finite number. The sequence with the smallest rank is served first;
  /// equal ranks are served in order of arrival. The engine calls rank() for every sequence before every
  /// step, so it must be cheap.
  virtual double rank(const ScheduledSequence& s, double now_s) const = 0;

  /// Returns whether rank() reads matched_tokens. To look them up, the engine must read every waiting prompt.
  virtual bool wants_matches() const { return false; }

  /// Reports a new request; its arrival_s is set.
  virtual void arrived(const ScheduledSequence& /*s*/) {}
  /// Reports that a step computed `tokens` tokens of this sequence. If `sampled` is true, the sequence gained
  /// a token of output.
  virtual void computed(const ScheduledSequence& /*s*/, int /*tokens*/, bool /*sampled*/) {}
  /// Reports that the sequence has ended. It is not passed to this policy again.
  virtual void finished(const ScheduledSequence& /*s*/) {}
};

/// Sorts both queues by rank, the smallest rank first. Equal ranks are in order of arrival.
inline void sort_by_policy(Queues& queues, const Policy& policy, double now_s) {
  std::vector<std::pair<double, ScheduledSequence*>> ranked;
  for (std::vector<ScheduledSequence*>* queue : {&queues.waiting, &queues.running}) {
    ranked.clear();
    for (ScheduledSequence* s : *queue) ranked.emplace_back(policy.rank(*s, now_s), s);
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first < b.first;
      if (a.second->arrival_s != b.second->arrival_s) return a.second->arrival_s < b.second->arrival_s;
      return a.second->id < b.second->id;
    });
    for (std::size_t i = 0; i < ranked.size(); ++i) (*queue)[i] = ranked[i].second;
  }
}

}  // namespace rung
