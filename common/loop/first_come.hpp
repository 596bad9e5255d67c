#pragma once
// The smallest scheduler: first come, first served. It admits requests in their order while there is room for
// all of their tokens that are not computed yet, and it plans all of these tokens. When memory is short, it
// preempts the sequence that was admitted last. It serves tests of the loop, of policies and of caches. The
// ladder of schedulers is in 03_techniques/batching.

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "seams/scheduler.hpp"

namespace rung {

class FirstCome final : public Scheduler {
 public:
  /// `piece` is the length of the longest chunk, and `width` is the largest number of sequences in one plan.
  explicit FirstCome(const SchedulerConfig& config, int piece = INT_MAX, int width = INT_MAX)
      : config_(config), piece_(piece), width_(width) {}

  void schedule(Queues& queues, KvSpace& kv, double /*now_s*/, std::vector<Chunk>& plan) override {
    tokens_left_ = config_.max_step_tokens;
    for (std::size_t i = 0; i < queues.running.size(); ++i)  // plan_one() may preempt the last ones
      plan_one(*queues.running[i], queues, kv, plan);
    while (room_in(plan) && admit_one(queues, kv) && plan_one(*queues.running.back(), queues, kv, plan)) {
    }
  }

 private:
  bool room_in(const std::vector<Chunk>& plan) const {
    return tokens_left_ > 0 && static_cast<int>(plan.size()) < width_;
  }

  bool admit_one(Queues& queues, KvSpace& kv) const {
    if (queues.waiting.empty() || static_cast<int>(queues.running.size()) >= config_.max_sequences)
      return false;
    ScheduledSequence& s = *queues.waiting.front();
    // If no other sequence runs, it is always admitted: the cache has room for any one sequence, so it can
    // end.
    if (!queues.running.empty() && !kv.has_room(std::int64_t{s.missing()} + 1)) return false;
    if (!kv.open(s)) return false;
    s.state = SequenceState::running;
    queues.running.push_back(&s);
    queues.waiting.erase(queues.waiting.begin());
    return true;
  }

  bool plan_one(ScheduledSequence& s, Queues& queues, KvSpace& kv, std::vector<Chunk>& plan) {
    const int count = std::min({s.missing(), piece_, tokens_left_});
    if (count <= 0 || !room_in(plan) || !grow(s, s.computed + count, queues, kv)) return false;
    plan.push_back({&s, count});
    tokens_left_ -= count;
    return true;
  }

  /// Preempts sequences, starting with the last one and ending with `s` itself, until `s` has room.
  static bool grow(ScheduledSequence& s, int length, Queues& queues, KvSpace& kv) {
    while (!kv.grow(s, length)) {
      ScheduledSequence& last = *queues.running.back();
      if (last.in_flight > 0) return false;
      queues.running.pop_back();
      kv.preempt(last);
      last.state = SequenceState::preempted;
      ++last.preemptions;
      queues.waiting.insert(queues.waiting.begin(), &last);
      if (&last == &s) return false;
    }
    return true;
  }

  SchedulerConfig config_;
  int piece_, width_, tokens_left_ = 0;
};

}  // namespace rung
