// What the loop checks before a step (prefix matches, numbers of guesses, the rules of a plan), and what it
// reports about itself (events, statistics, and the reason why it is stuck).

#include <algorithm>

#include "loop/step_loop.hpp"

namespace rung {

void StepLoop::look_up_matches() {
  const bool changed = matched_version_ != memory_.known_version();
  matched_version_ = memory_.known_version();
  for (ScheduledSequence* s : queues_.waiting) {
    if (changed || s->matched_tokens < 0) s->matched_tokens = memory_.known(*s);
  }
}

int StepLoop::wanted_drafts(const Sequence& s) const {
  if (s.output_tokens == 0 || s.missing() == 0) return 0;
  // A guess that would exceed the limit of the text's length is useless.
  const int room = std::min(config_.longest - s.length(), s.max_tokens - s.output_tokens) - 1;
  return room <= 0 ? 0 : std::min(room, executor_.drafts_wanted(s.step_text()));
}

void StepLoop::check_plan() const {
  const SchedulerConfig& limits = config_.steps;
  int tokens = 0, outputs = 0;
  for (const Chunk& chunk : plan_) {
    auto& s = static_cast<Sequence&>(*chunk.sequence);
    if (s.state != SequenceState::running || s.kv < 0)
      fail_rule(&s, "a running sequence", "one that does not run");
    if (chunk.drafts < 0 || chunk.drafts > s.drafts) {
      fail_rule(&s, fmt::format("at most {} guesses", s.drafts), std::to_string(chunk.drafts));
    }
    const int known = chunk.count - chunk.drafts;
    if (known < 1 || known > s.missing()) {
      fail_rule(&s, fmt::format("1 to {} tokens", s.missing()), std::to_string(known));
    }
    if (chunk.drafts > 0 && !chunk.samples()) fail_rule(&s, "guesses after all its tokens", "guesses before");
    if (memory_.room(s) < s.computed + chunk.count)
      fail_rule(&s, fmt::format("room for {} tokens", s.computed + chunk.count), "less");
    if (s.planned_step == planned_steps_ + 1) fail_rule(&s, "one chunk", "2");
    s.planned_step = planned_steps_ + 1;
    tokens += chunk.count;
    outputs += chunk.outputs();
  }
  if (tokens > limits.max_step_tokens)
    fail_rule(nullptr, fmt::format("at most {} tokens", limits.max_step_tokens), std::to_string(tokens));
  if (outputs > limits.max_step_outputs)
    fail_rule(nullptr, fmt::format("at most {} sampled", limits.max_step_outputs), std::to_string(outputs));
  if (queues_.running.size() > static_cast<std::size_t>(limits.max_sequences)) {
    fail_rule(nullptr, fmt::format("at most {} running", limits.max_sequences),
              std::to_string(queues_.running.size()));
  }
}

void StepLoop::fail_rule(const ScheduledSequence* s, const std::string& expected,
                         const std::string& got) const {
  const std::string request = s == nullptr ? "" : fmt::format(", request {}", s->id);
  throw BrokenRule(fmt::format("scheduler '{}' broke a rule of its seam in step {}{}: expected {}, got {}",
                               config_.scheduler, planned_steps_ + 1, request, expected, got),
                   planned_steps_ + 1, s == nullptr ? -1 : s->id, expected, got);
}

// Called before commit_tokens(), so that the log has a step's chunks before the tokens that they gained.
void StepLoop::record_plan(const Flight& flight) {
  if (!log_.on()) return;
  const double seconds = result_.end_s - result_.begin_s;
  const auto sequences = static_cast<int>(flight.sequences.size());
  log_.add({.kind = EventKind::schedule,
            .at_s = flight.begin_s,
            .seconds = flight.planned_s - flight.begin_s,
            .tokens = result_.computed,
            .context = sequences});
  log_.add({.kind = EventKind::forward,
            .at_s = result_.begin_s,
            .seconds = seconds,
            .tokens = result_.computed,
            .context = sequences});
  auto gain = result_.gains.cbegin();
  for (std::size_t i = 0; i < flight.sequences.size(); ++i) {
    const StepChunk& chunk = flight.plan.chunks[i];
    const Sequence& s = *flight.sequences[i];
    const int known = chunk.count - chunk.drafts;
    const int count = known + (chunk.samples ? gain->guesses : 0);
    if (chunk.samples) gain += 1 + static_cast<std::ptrdiff_t>(chunk.followers.size());
    // Everything counts as prefill except a single token that was sampled before.
    const bool prefill = known > 1 || chunk.begin < s.prompt_tokens;
    log_.add({.kind = EventKind::chunk,
              .prefill = prefill,
              .sequence = s.id,
              .at_s = result_.begin_s,
              .seconds = seconds,
              .tokens = count,
              .context = chunk.begin + count});
  }
}

void StepLoop::record_step(const Flight& flight) {
  log_.add({.kind = EventKind::step,
            .at_s = flight.begin_s,
            .seconds = log_.now() - flight.begin_s,
            .tokens = result_.computed,
            .context = static_cast<int>(flight.sequences.size())});
  watch_storms();
  stats_.step_s += clock_.seconds() - flight.begin_s;
}

void StepLoop::watch_storms() {
  if (!storms_.after_step({stats_.steps, stats_.computed_tokens, stats_.recomputed_tokens,
                           memory_.counts().preemptions, stats_.finished})) {
    return;
  }
  if (stats_.storms++ > 0 || !config_.notice) return;  // only once; otherwise it could appear every second
  const StormWatch::Counts& w = storms_.window();
  config_.notice(fmt::format(
      "preemption storm: in {} steps sequences lost their place in the KV cache {} times while {} requests "
      "ended, and {:.0f} % of the computed tokens had been computed before (more than {:.0f} preemptions per "
      "request or {:.0f} % is too much); let fewer than {} sequences run at a time (--max-sequences) or give "
      "the cache more memory (--kv-budget)",
      w.steps, w.preemptions, w.finished, 100 * storms_.recomputed_share(), StormWatch::kMostPerFinished,
      100 * StormWatch::kMostRecomputed, config_.steps.max_sequences));
}

namespace {

/// Describes the work that a scheduler which plans nothing leaves undone, to complete "expected ...".
std::string work_left(const Queues& queues) {
  const std::size_t waiting = queues.waiting.size(), running = queues.running.size();
  if (running == 0) return fmt::format("one of {} waiting requests to be admitted, as none runs", waiting);
  const auto decoding =
      static_cast<std::size_t>(std::count_if(queues.running.begin(), queues.running.end(),
                                             [](const ScheduledSequence* s) { return s->missing() == 1; }));
  if (decoding == 0) {
    return fmt::format("prompt tokens of one of {} running requests, none of which decodes yet ({} wait)",
                       running, waiting);
  }
  return fmt::format("a token for one of {} running requests that decode ({} others run, {} wait)", decoding,
                     running - decoding, waiting);
}

}  // namespace

void StepLoop::fail_stuck() const {
  std::string states;
  for (const Sequence& s : sequences_) {
    if (s.finished()) continue;
    const bool held = std::count(held_.begin(), held_.end(), &s) > 0;
    states += fmt::format("; request {} is {} with {} of {} tokens computed", s.id,
                          held ? "held" : state_name(s.state), s.computed, s.length());
    if (s.kv >= 0) states += fmt::format(" and room for {}", memory_.room(s));
    if (s.fork_of != nullptr) states += fmt::format(", forked from request {}", s.fork_of->id);
  }
  const KvUse use = memory_.use();
  const std::string expected = work_left(queues_), got = "no chunk in two steps, and no moment to wait for";
  throw BrokenRule(
      fmt::format(
          "the engine is stuck, which is a mistake in scheduler '{}' or in the engine itself: nothing is "
          "planned and nothing can change. Expected {}. Of {} slots in the KV cache, {} are taken, and {} "
          "of them are only kept for later{}",
          config_.scheduler, expected, use.slots, use.taken, use.kept, states),
      planned_steps_ + 1, -1, expected, got);
}

ServiceSnapshot StepLoop::snapshot() const {
  ServiceSnapshot snapshot;
  const double now_s = clock_.seconds();
  for (const Sequence& s : sequences_) {
    if (s.finished()) continue;
    snapshot.sequences.push_back({s.id, s.state, s.prompt_tokens, s.computed, s.output_tokens, s.max_tokens,
                                  s.preemptions, s.user, s.priority, now_s - s.arrival_s});
  }
  snapshot.kv = memory_.use();
  snapshot.stats = stats();
  return snapshot;
}

EngineStats StepLoop::stats() const {
  EngineStats stats = stats_;
  for (const auto* queue : {&queues_.waiting, &queues_.running}) {
    for (const ScheduledSequence* s : *queue) {
      stats.preemptions += s->preemptions;
      stats.cached_tokens += s->cached_tokens;
    }
  }
  const SequenceMemory::Counts counts = memory_.counts();
  stats.swaps = counts.swaps;
  stats.forked_tokens = counts.forked_tokens;
  stats.prefix_s = counts.prefix_s;
  return stats;
}

}  // namespace rung
