// The serving loop. step() is the life of an inference server: schedule, submit, collect, commit.
//
// schedule() asks the rungs of `policy` and `scheduler`, which admit requests, grow the cache and preempt.
// The executor computes the plan. commit() gives the tokens to their sequences. What enters and leaves the
// loop is in loop_requests.cpp, what it says of itself in loop_watch.cpp.

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
  for (const StepChunk& chunk : flight.plan.chunks) {  // from here on its tokens count as computed
    Sequence& s = *flight.sequences[static_cast<std::size_t>(&chunk - flight.plan.chunks.data())];
    ++s.in_flight;
    s.computed += chunk.count - chunk.drafts;
  }
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
    const InStep in_step(in_step_);  // listeners are called
    count(flight);
    SampledToken* tokens = result_.tokens.data();
    for (std::size_t i = 0; i < flight.draws.size(); ++i) {
      const Draw& draw = flight.draws[i];
      commit_tokens(draw, flight.plan.chunks[draw.chunk], result_.gains[i], tokens);
      tokens += result_.gains[i].tokens;
    }
    // Followers first: they can share the blocks of the sequence that they followed only until it ends.
    for (const bool followers : {true, false}) {
      for (const Draw& draw : flight.draws) {
        if (draw.follower == followers) settle(draw);
      }
    }
  }
  for (const int id : std::exchange(cancelled_later_, {})) cancel(id);
  record_step(flight);
}

StepLoop::Flight& StepLoop::collect() {
  Flight& flight = flights_[oldest_];
  oldest_ = (oldest_ + 1) % flights_.size();
  --in_flight_;
  for (Sequence* s : flight.sequences) --s->in_flight;
  log_.at_step(flight.plan.number);
  result_.clear();
  try {
    executor_.collect(result_);
  } catch (...) {  // a prefix cache must not keep what was not computed
    for (std::size_t i = 0; i < flight.sequences.size(); ++i) {
      int& computed = flight.sequences[i]->computed;
      computed = std::min(computed, flight.plan.chunks[i].begin);
    }
    throw;
  }
  return flight;
}

void StepLoop::count(const Flight& flight) {
  bool prompts = false;
  auto gain = result_.gains.cbegin();
  for (std::size_t i = 0; i < flight.sequences.size(); ++i) {
    Sequence& s = *flight.sequences[i];
    const StepChunk& chunk = flight.plan.chunks[i];
    const int known = chunk.count - chunk.drafts;  // guesses are counted when it is known which were right
    stats_.recomputed_tokens += std::clamp(s.reached - chunk.begin, 0, known);
    s.reached = std::max(s.reached, chunk.begin + known);
    prompts = prompts || known > 1;
    if (policy_ != nullptr) policy_->computed(s, known + (chunk.samples ? gain->guesses : 0), chunk.samples);
    if (chunk.samples) gain += 1 + static_cast<std::ptrdiff_t>(chunk.followers.size());
  }
  const double seconds = result_.end_s - result_.begin_s;
  memory_.computed(result_.computed, seconds, prompts);
  stats_.forward_s += seconds;
  stats_.sample_s += result_.sample_s;
  stats_.computed_tokens += result_.computed;
  ++stats_.steps;
}

void StepLoop::commit_tokens(const Draw& draw, const StepChunk& chunk, const StepGain& gain,
                             SampledToken* tokens) {
  Sequence& s = *draw.sequence;
  const double now_s = clock_.seconds();
  if (draw.follower) {
    std::erase(held_, &s);
    if (policy_ != nullptr) policy_->computed(s, 0, true);
  }
  if (gain.tokens == 0) s.finish(FinishReason::stop, now_s);  // its constraint allows no token
  int committed = 0;
  while (committed < gain.tokens && !s.finished()) {
    const std::int32_t token = tokens[committed].token;
    s.commit(std::move(tokens[committed++]), tokenizer_, config_.longest, now_s);
    ++stats_.output_tokens;
    log_.add({.kind = EventKind::token, .sequence = s.id, .tokens = token, .context = s.output_tokens});
  }
  if (chunk.drafts > 0 && !draw.follower) keep_guesses(s, gain.guesses, std::max(committed - 1, 0));
}

void StepLoop::keep_guesses(Sequence& s, int guesses, int accepted) {
  stats_.guessed_tokens += guesses;
  stats_.accepted_tokens += accepted;
  s.computed += accepted;
  s.reached = std::max(s.reached, s.computed);
  for (int i = 0; i < accepted && policy_ != nullptr; ++i) policy_->computed(s, 0, true);
  memory_.truncate(s, s.computed);
  if (guesses > 0) executor_.observe(s.step_text(), accepted);
}

void StepLoop::settle(const Draw& draw) {
  Sequence& s = *draw.sequence;
  if (s.output_tokens == 1 && !draw.follower) {  // forks that came while the step was in flight
    std::erase_if(held_, [&](Sequence* held) {
      if (held->fork_of == &s) queues_.waiting.push_back(held);
      return held->fork_of == &s;
    });
  }
  if (s.finished()) {
    retire(s);
  } else if (draw.follower) {
    queues_.waiting.push_back(&s);
  } else if (s.output_tokens == 1) {
    memory_.remember(s);  // others may begin with the same prompt
  }
}

void StepLoop::retire(Sequence& s) {
  std::erase(queues_.running, &s);
  std::erase(queues_.waiting, &s);
  std::erase(held_, &s);
  memory_.close(s);
  forget_source(s);
  ++stats_.finished;
  stats_.preemptions += s.preemptions;
  stats_.cached_tokens += s.cached_tokens;
  if (policy_ != nullptr) policy_->finished(s);
  executor_.finished(s.id);
  log_.add({.kind = EventKind::finished,
            .reason = static_cast<std::uint8_t>(s.result.finish_reason),
            .sequence = s.id,
            .tokens = s.output_tokens});
}

// A sequence that was preempted in a step that planned nothing can be admitted in the next one: alone, a
// sequence always fits. A second step without work, and without a moment to wait for, would be the first of
// endlessly many.
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
