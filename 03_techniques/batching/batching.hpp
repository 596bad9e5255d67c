#pragma once
// What the rungs of this ladder share. A rung is a plain function of the step; register.cpp makes a scheduler
// of it.

#include <cstddef>
#include <vector>

#include "core/registry.hpp"
#include "seams/scheduler.hpp"

namespace rung::batching {

/// One step: what a rung reads and writes, and the moves that it is made of.
class Step {
 public:
  Step(const SchedulerConfig& config_, Queues& queues_, KvSpace& kv_, double now, std::vector<Chunk>& plan_)
      : config(config_),
        queues(queues_),
        kv(kv_),
        now_s(now),
        plan(plan_),
        tokens_left(config_.max_step_tokens),
        samples_left(config_.max_step_outputs) {}

  const SchedulerConfig& config;
  Queues& queues;
  KvSpace& kv;
  const double now_s;
  std::vector<Chunk>& plan;
  int tokens_left;           // of the step's limits
  int samples_left;          // likewise
  double waits_until_s = 0;  // for a rung that plans nothing because it waits for a batch to fill

  /// Moves the first waiting sequence to the end of the running ones. False when there is none, when as many
  /// run as may, when the cache has no room for all that it is to compute and one token more (it would be the
  /// next one to be preempted), or when somebody found no room in this step.
  bool admit_one();
  /// As many as possible.
  void admit() {
    while (admit_one()) {
    }
  }

  /// Plans what a running sequence is missing, as far as the limits allow, and guesses behind it where there
  /// is room for them. Where the cache is full, running sequences after it that the step does not compute are
  /// preempted, from the last on; if there are none and it misses a single token, it is preempted itself.
  /// Nothing that a step in flight computes is preempted. False when nothing was planned.
  bool plan_tokens(ScheduledSequence& s);
  /// The same for all running sequences that decode (they miss one token), or for all others.
  void plan_decodes() { plan_all(true); }
  void plan_prompts() { plan_all(false); }

 private:
  void plan_all(bool decodes);
  void preempt(std::size_t index);
  bool may_go(const ScheduledSequence& s) const;
  bool memory_short_ = false;
};

void one_at_a_time(Step& step);
void static_batch(Step& step);
void dynamic_batch(Step& step);
void continuous(Step& step);
void chunked(Step& step);
void mine(Step& step);

std::vector<Trial> trials(const Ladder<Scheduler>& ladder);
std::vector<Goal> goals(const Ladder<Scheduler>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::batching
