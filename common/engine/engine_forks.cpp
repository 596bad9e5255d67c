// Sequences that begin alike: samples of one prompt, and forks of a text under way.
//
// The samples of a request (Request::n) are held back until the first of them, the leader, has computed the
// prompt. Each draws its first token from the leader's logits; from then on it is a sequence like any other,
// except that open() lets it share what it has in common with the leader (Kwon et al. 2023, section 4.4).

#include <algorithm>

#include "engine/engine.hpp"

namespace rung {

Sequence& Engine::enqueue(Sequence& s, const Sequence* leader) {
  ++next_id_;
  s.arrival_s = clock_.seconds();
  log_.add({.kind = EventKind::queued,
            .sequence = s.id,
            .at_s = s.arrival_s,
            .tokens = s.prompt_tokens,
            .context = static_cast<int>(queues_.waiting.size() + held_.size())});
  policy_->arrived(s);
  if (leader == nullptr || leader->output_tokens > 0) {
    queues_.waiting.push_back(&s);
  } else {
    held_.push_back(&s);
  }
  if (leader != nullptr) {
    ++stats_.forks;
    s.fork_of = leader;
    s.fork_tokens = leader->length();
  }
  return s;
}

int Engine::fork(int id, std::uint64_t seed, OnDelta on_delta) {
  if (in_step_) fail_usage("request {} cannot be forked by a listener; fork it between two steps", id);
  Sequence& from = find(id);
  if (from.finished()) fail_usage("request {} has ended; fork a request while it waits or runs", id);
  if (from.length() > config_.context) {
    fail_usage(
        "request {} has {} tokens and outgrew its context of {}: what it gave up cannot be shared; fork it "
        "earlier",
        id, from.length(), config_.context);
  }
  check_queue(1);
  Sequence& s = add(next_id_, from, seed);
  s.request.on_delta = std::move(on_delta);
  const bool held = std::count(held_.begin(), held_.end(), &from) > 0;
  return enqueue(s, held ? static_cast<const Sequence*>(from.fork_of) : &from).id;
}

// `logits` [vocab] after the leader's prompt, which is the prompt of all of them.
void Engine::release_samples(const Sequence& leader, std::span<const float> logits) {
  // Taken out first: retiring one changes held_, and so may a listener.
  std::vector<NextRow> released;
  std::erase_if(held_, [&](Sequence* s) {
    if (s->fork_of == &leader) released.push_back({s, logits, {}});
    return s->fork_of == &leader;
  });
  for (const NextRow& row : released) policy_->computed(*row.sequence, 0, true);
  sample(released);
  for (const NextRow& row : released) {
    Sequence* const s = row.sequence;
    if (s->finished()) {
      retire(*s);
    } else {
      queues_.waiting.push_back(s);
    }
  }
}

// Whoever waits for the prompt of a request that ends early computes it himself: the first does, for all.
void Engine::forget_source(const Sequence& gone) {
  Sequence* leader = nullptr;
  std::erase_if(held_, [&](Sequence* s) {
    if (s->fork_of != &gone) return false;
    const bool leads = leader == nullptr;
    if (leads) {
      leader = s;
      queues_.waiting.push_back(s);
    }
    s->fork_of = leads ? nullptr : leader;
    return leads;
  });
  for (const auto* queue : {&queues_.waiting, &queues_.running}) {
    for (ScheduledSequence* s : *queue) {
      if (s->fork_of == &gone) s->fork_of = nullptr;
    }
  }
}

std::vector<Result> Engine::run_samples(Request request, const std::function<bool()>& cancelled) {
  const int n = request.n;
  const int first = submit(std::move(request));
  bool stopped = false;
  while (step()) {
    if (stopped || !cancelled || !cancelled()) continue;
    stopped = true;
    for (int i = 0; i < n; ++i) cancel(first + i);
  }
  std::vector<Result> results;
  for (int i = 0; i < n; ++i) results.push_back(take(first + i));
  return results;
}

}  // namespace rung
