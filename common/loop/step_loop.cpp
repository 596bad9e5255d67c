// The serving loop. step() does the work of an inference server: schedule, submit, collect, commit.
//
// schedule() calls the rungs of `policy` and `scheduler`, which sort and admit requests, grow the cache and
// preempt sequences. The executor computes the plan. commit() gives the tokens to their sequences. How
// requests enter and leave the loop is in loop_requests.cpp, and what the loop reports about itself is in
// loop_watch.cpp.

#include "loop/step_loop.hpp"

#include <algorithm>
#include <utility>

namespace rung {

bool StepLoop::step() {
  while (in_flight_ < flights_.size() && schedule()) submit_plan();
  if (in_flight_ == 0) return wait_for_work();
  commit();
  return true;
}

bool StepLoop::schedule() {
  plan_.clear();
  if (queues_.waiting.empty() && queues_.running.empty()) return false;
  begin_s_ = clock_.seconds();
  log_.at_step(planned_steps_ + 1);
  if (policy_ != nullptr && policy_->wants_matches()) look_up_matches();
  for (ScheduledSequence* s : queues_.running) s->drafts = wanted_drafts(static_cast<Sequence&>(*s));
  if (policy_ != nullptr) sort_by_policy(queues_, *policy_, begin_s_);
  scheduler_.schedule(queues_, memory_, begin_s_, plan_);
  check_plan();
  planned_s_ = clock_.seconds();
  stats_.schedule_s += planned_s_ - begin_s_;
  return !plan_.empty();
}

void StepLoop::submit_plan() {
  idle_steps_ = 0;
  Flight& flight = flights_[(oldest_ + in_flight_) % flights_.size()];
  flight.plan.number = ++planned_steps_;
  flight.begin_s = begin_s_;
  flight.planned_s = planned_s_;
  flight.plan.chunks.clear();
  flight.sequences.clear();
  flight.draws.clear();
  for (const Chunk& chunk : plan_) fill_chunk(chunk, flight);
  executor_.submit(flight.plan);
  for (std::size_t i = 0; i < plan_.size(); ++i) {  // from now on these tokens count as computed
    ++flight.sequences[i]->in_flight;
    flight.sequences[i]->computed += plan_[i].count - plan_[i].drafts;
  }
  for (const Draw& draw : flight.draws) draw.sequence->in_flight += draw.follower ? 1 : 0;
  ++in_flight_;
}

void StepLoop::fill_chunk(const Chunk& chunk, Flight& flight) {
  auto& s = static_cast<Sequence&>(*chunk.sequence);
  const std::size_t index = flight.plan.chunks.size();
  flight.plan.chunks.push_back(
      {s.step_text(), s.kv, s.computed, chunk.count, chunk.drafts, chunk.samples(), {}});
  flight.sequences.push_back(&s);
  if (!chunk.samples()) return;
  flight.draws.push_back({&s, index, false});
  if (s.output_tokens > 0) return;
  for (Sequence* held : held_) {
    if (held->fork_of != &s) continue;
    flight.plan.chunks.back().followers.push_back(held->step_text());
    flight.draws.push_back({held, index, true});
  }
}

void StepLoop::commit() {
  struct InStep {
    bool& flag;
    explicit InStep(bool& f) : flag(f) { flag = true; }
    ~InStep() { flag = false; }
  };
  const Flight& flight = collect();
  record_plan(flight);
  {
    const InStep in_step(in_step_);  // the code below calls listeners
    count(flight);
    SampledToken* tokens = result_.tokens.data();
    for (std::size_t i = 0; i < flight.draws.size(); ++i) {
      const Draw& draw = flight.draws[i];
      commit_tokens(draw, flight.plan.chunks[draw.chunk], result_.gains[i], tokens);
      tokens += result_.gains[i].tokens;
    }
    // Followers come first, because they can share the blocks of the sequence that they follow only until it
    // ends.
    for (const bool followers : {true, false}) {
      for (const Draw& draw : flight.draws) {
        if (draw.follower == followers) settle(draw);
      }
    }
  }
  for (const int id : std::exchange(cancelled_later_, {})) cancel(id);
  record_step(flight);
}

// Called if nothing was planned and nothing is in flight. A step may preempt a sequence and plan nothing; the
// next step can admit this sequence again, because a sequence that runs alone always fits. But if a second
// step plans nothing and there is no time to wait for, no later step will plan anything either.
bool StepLoop::wait_for_work() {
  if (queues_.waiting.empty() && queues_.running.empty()) {
    if (!held_.empty()) fail_stuck();
    return false;
  }
  const double until_s = scheduler_.waits_until_s();
  if (until_s > planned_s_) {
    clock_.wait_until(until_s);
  } else if (++idle_steps_ > 1) {
    fail_stuck();
  }
  return true;
}

}  // namespace rung
