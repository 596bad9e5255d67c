#pragma once
// What the rungs of this ladder share. A rung is a plain function of the step, and register.cpp makes a
// scheduler from it.

#include <cstddef>
#include <vector>

#include "core/registry.hpp"
#include "seams/scheduler.hpp"

namespace rung::batching {

/// One step: the data that a rung reads and writes, and the moves that a rung consists of.
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
  int tokens_left;           // tokens that may still be planned in this step
  int samples_left;          // tokens that may still be sampled in this step
  double waits_until_s = 0;  // for a rung that plans nothing because it waits for a batch to fill

  /// Moves the first waiting sequence to the end of the running list. Returns false if no sequence waits, if
  /// the maximum number of sequences runs, if the cache has no room for all its missing tokens and one more
  /// (otherwise it would be the next one to be preempted), or if the memory was too short for another
  /// sequence in this step.
  bool admit_one();
  /// Admits as many sequences as possible.
  void admit() {
    while (admit_one()) {
    }
  }

  /// Plans the missing tokens of a running sequence, as far as the limits allow, and drafts after them if
  /// there is room. If the cache is full, it preempts running sequences after this one that the step does not
  /// compute, beginning with the last. If there are none and this sequence misses a single token, it is
  /// preempted itself. Sequences that a step in flight computes are never preempted. Returns false if nothing
  /// was planned.
  bool plan_tokens(ScheduledSequence& s);
  /// Calls plan_tokens() for all running sequences that decode (those that miss one token), or for all
  /// others.
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

// The exercise, mine.cpp: one function per step.

/// Step 1. Plans one token for every running sequence that decodes, as Step::plan_decodes() does.
void my_decodes(Step& step);
/// Step 2. Plans what is missing of all other running sequences, as Step::plan_prompts() does.
void my_prompts(Step& step);
/// Step 3. The scheduler.
void mine(Step& step);

std::vector<ExerciseStep> steps();

std::vector<Trial> trials(const Ladder<Scheduler>& ladder);
std::vector<Goal> goals(const Ladder<Scheduler>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::batching
