// Applies a step's result: updates counters, texts and the memory of sequences, and decides which sequences
// wait and which end.

#include <algorithm>
#include <utility>

#include "loop/step_loop.hpp"

namespace rung {

StepLoop::Flight& StepLoop::take_flight() {
  Flight& flight = flights_[oldest_];
  oldest_ = (oldest_ + 1) % flights_.size();
  --in_flight_;
  for (Sequence* s : flight.sequences) --s->in_flight;
  for (const Draw& draw : flight.draws) draw.sequence->in_flight -= draw.follower ? 1 : 0;
  result_.clear();
  return flight;
}

// If a plan fails, all later plans in flight fail too, because they depend on it.
StepLoop::Flight& StepLoop::collect() {
  Flight& flight = take_flight();
  log_.at_step(flight.plan.number);
  try {
    executor_.collect(result_);
  } catch (...) {
    forget(flight);
    while (in_flight_ > 0) {
      const Flight& later = take_flight();
      try {
        executor_.collect(result_);
      } catch (const Error&) {  // the first error is the cause
      }
      forget(later);
    }
    throw;
  }
  return flight;
}

// A prefix cache must not keep tokens that were not computed.
void StepLoop::forget(const Flight& flight) {
  for (std::size_t i = 0; i < flight.sequences.size(); ++i) {
    int& computed = flight.sequences[i]->computed;
    computed = std::min(computed, flight.plan.chunks[i].begin);
  }
}

void StepLoop::count(const Flight& flight) {
  bool prompts = false;
  auto gain = result_.gains.cbegin();
  for (std::size_t i = 0; i < flight.sequences.size(); ++i) {
    Sequence& s = *flight.sequences[i];
    const StepChunk& chunk = flight.plan.chunks[i];
    const int known = chunk.count - chunk.drafts;  // keep_guesses() counts the guesses
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
  if (s.output_tokens == 1 && !draw.follower) {  // forks that were made while the step was in flight
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
    memory_.remember(s);  // later requests may start with the same prompt
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

}  // namespace rung
