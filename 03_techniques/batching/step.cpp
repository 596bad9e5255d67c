// The moves that all rungs are made of: admit, plan, preempt.

#include <algorithm>

#include "batching.hpp"

namespace rung::batching {

// What this step or one in flight computes needs its memory.
bool Step::may_go(const ScheduledSequence& s) const {
  return s.in_flight == 0 &&
         std::none_of(plan.begin(), plan.end(), [&](const Chunk& c) { return c.sequence == &s; });
}

bool Step::admit_one() {
  if (memory_short_ || queues.waiting.empty()) return false;
  if (static_cast<int>(queues.running.size()) >= config.max_sequences) return false;
  ScheduledSequence& s = *queues.waiting.front();
  // Alone it is let in always: the cache holds any one sequence, so it will end.
  if (!queues.running.empty() && !kv.has_room(std::int64_t{s.missing()} + 1)) return false;
  if (!kv.open(s)) return false;
  s.state = SequenceState::running;
  queues.waiting.erase(queues.waiting.begin());
  queues.running.push_back(&s);
  return true;
}

bool Step::plan_tokens(ScheduledSequence& s) {
  int count = std::min(s.missing(), tokens_left);
  if (count == s.missing() && samples_left == 0) --count;  // all but the token that would be sampled from
  if (count <= 0) return false;
  while (!kv.grow(s, s.computed + count)) {
    memory_short_ = true;
    std::size_t victim = queues.running.size() - 1;
    while (queues.running[victim] != &s && !may_go(*queues.running[victim])) --victim;
    const bool itself = queues.running[victim] == &s;
    if (!itself || (s.missing() == 1 && s.in_flight == 0)) preempt(victim);
    if (itself) return false;
  }
  // Guesses come last: they get what room there is, and nobody makes any for them.
  int drafts = count == s.missing() ? std::min({s.drafts, tokens_left - count, samples_left - 1}) : 0;
  if (drafts > 0 && !kv.grow(s, s.computed + count + drafts)) drafts = 0;
  plan.push_back({&s, count + drafts, drafts});
  tokens_left -= plan.back().count;
  samples_left -= plan.back().outputs();
  return true;
}

void Step::plan_all(bool decodes) {
  for (std::size_t i = 0; i < queues.running.size();) {
    ScheduledSequence& s = *queues.running[i];
    if ((s.missing() == 1) == decodes) plan_tokens(s);
    if (i < queues.running.size() && queues.running[i] == &s) ++i;  // else it was preempted
  }
}

void Step::preempt(std::size_t index) {
  ScheduledSequence& s = *queues.running[index];
  queues.running.erase(queues.running.begin() + static_cast<std::ptrdiff_t>(index));
  kv.preempt(s);
  s.state = SequenceState::preempted;
  ++s.preemptions;
  queues.waiting.insert(queues.waiting.begin(), &s);
}

}  // namespace rung::batching
