// The engine's loop. A step reads: sort by policy, schedule (which admits, grows the cache and preempts),
// make the batch, forward, sample, commit. Who is chosen is up to the rungs of `policy` and `scheduler`.

#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/batch_builder.hpp"
#include "seams/policy.hpp"

namespace rung {

bool Engine::step() {
  if (queues_.waiting.empty() && queues_.running.empty()) {
    if (!held_.empty()) fail_stuck();
    return false;
  }
  schedule();
  if (plan_.empty()) {
    wait_for_work();
    return true;
  }
  propose();
  make_batch();
  forward();
  record_plan();
  sample_and_commit();
  for (const int id : std::exchange(cancelled_in_step_, {})) cancel(id);
  record_step();
  return true;
}

void Engine::schedule() {
  times_.begin_s = clock_.seconds();
  log_.at_step(stats_.steps + 1);
  if (policy_->wants_matches()) look_up_matches();
  for (ScheduledSequence* s : queues_.running) s->drafts = wanted_guesses(static_cast<Sequence&>(*s));
  sort_by_policy(queues_, *policy_, times_.begin_s);
  plan_.clear();
  scheduler_->schedule(queues_, space_, times_.begin_s, plan_);
  if (!plan_.empty()) idle_steps_ = 0;
  times_.planned_s = clock_.seconds();
  stats_.schedule_s += times_.planned_s - times_.begin_s;
}

void Engine::look_up_matches() {
  const bool changed = matched_version_ != space_.prefix_version();
  matched_version_ = space_.prefix_version();
  for (ScheduledSequence* s : queues_.waiting) {
    if (changed || s->matched_tokens < 0) s->matched_tokens = space_.known(*s);
  }
}

// Whoever was preempted in a step that planned nothing can be admitted in the next one: alone, a sequence
// always fits. A second step without work, in which no time is waited for, would be the first of endlessly
// many.
void Engine::wait_for_work() {
  const double wait_s = scheduler_->waits_until_s() - times_.planned_s;
  if (wait_s > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(wait_s, 1e-3)));
  } else if (++idle_steps_ > 1) {
    fail_stuck();
  }
}

void Engine::make_batch() {
  batch_.clear();
  auto job = jobs_.cbegin();
  for (const Chunk& chunk : plan_) {
    const Sequence& s = sequence_of(chunk);
    const std::vector<std::int32_t>* guesses = chunk.drafts > 0 ? &(job++)->guesses : nullptr;
    append_rows(batch_, *kv_, s.kv, s.computed - s.given_up, chunk.count, chunk.outputs(), [&](int p) {
      const int position = s.given_up + p;
      return position < s.length() ? s.token(position)
                                   : (*guesses)[static_cast<std::size_t>(position - s.length())];
    });
  }
}

void Engine::forward() {
  times_.forward_s = clock_.seconds();
  const Tensor logits = transformer_.forward(batch_, *kv_);
  device_.to_host(host_logits_.data(), logits.data, logits.bytes());
  times_.forward_end_s = clock_.seconds();
  const double seconds = times_.forward_end_s - times_.forward_s;
  const auto rows = static_cast<int>(batch_.tokens.size());
  const bool prompts =
      std::any_of(plan_.begin(), plan_.end(), [](const Chunk& c) { return c.count - c.drafts > 1; });
  space_.costs().computed(rows, seconds, prompts);
  stats_.forward_s += seconds;
  stats_.computed_tokens += rows;
  ++stats_.steps;
}

// Row i of the logits belongs to the i-th chunk that samples.
void Engine::sample_and_commit() {
  struct InStep {
    bool& flag;
    explicit InStep(bool& f) : flag(f) { flag = true; }
    ~InStep() { flag = false; }
  };
  const InStep in_step(in_step_);
  const auto vocab = static_cast<std::size_t>(model_->config.vocab_size);
  next_.clear();
  const float* logits = host_logits_.data();
  auto job = jobs_.cbegin();
  for (const Chunk& chunk : plan_) {
    Sequence& s = sequence_of(chunk);
    const auto rows = static_cast<std::size_t>(chunk.outputs());
    if (rows > 0) next_.push_back({&s, {logits, rows * vocab}, {}});
    if (chunk.drafts > 0) next_.back().guesses = (job++)->guesses;
    logits += rows * vocab;
    count_computed(s, chunk);
  }
  sample(next_);
  for (const NextRow& next : next_) {
    Sequence& s = *next.sequence;
    if (s.output_tokens == 1 && !held_.empty()) release_samples(s, next.logits);
    if (s.finished()) {
      retire(s);
    } else if (s.output_tokens == 1) {
      space_.remember(s);  // others may begin with the same prompt
    }
  }
}

// Guesses are counted when it is known which of them were right.
void Engine::count_computed(Sequence& s, const Chunk& chunk) {
  const bool samples = chunk.samples();
  const int known = chunk.count - chunk.drafts;
  stats_.recomputed_tokens += std::clamp(s.reached - s.computed, 0, known);
  s.computed += known;
  s.reached = std::max(s.reached, s.computed);
  policy_->computed(s, chunk.count, samples);
}

void Engine::retire(Sequence& sequence) {
  std::erase(queues_.running, &sequence);
  std::erase(queues_.waiting, &sequence);
  std::erase(held_, &sequence);
  space_.close(sequence);
  forget_source(sequence);
  ++stats_.finished;
  stats_.preemptions += sequence.preemptions;
  stats_.cached_tokens += sequence.cached_tokens;
  policy_->finished(sequence);
  if (config_.speculator != nullptr) config_.speculator->finished(sequence.id);
  log_.add({.kind = EventKind::finished,
            .detail = static_cast<std::uint8_t>(sequence.result.finish_reason),
            .sequence = sequence.id,
            .tokens = sequence.output_tokens});
}

}  // namespace rung
