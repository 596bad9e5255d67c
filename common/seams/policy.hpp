#pragma once
// Seam `policy`: who comes first, where not all can.
//
// The engine sorts its waiting and its running sequences by rank before every step: the first waiting one is
// admitted next, the last running one is preempted when memory is short. A policy may learn from what it is
// told. Thread safety: none; one thread drives a policy.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Sorts both queues by rank: the best first. Equal ranks stand in order of arrival.
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
