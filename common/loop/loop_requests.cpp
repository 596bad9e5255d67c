// How requests enter and leave the loop, and how sequences start that have a common prefix: the samples of
// one prompt, and the forks of a text that is being generated.
//
// The samples of a request (Request::n) are held back until the first of them, the leader, has computed the
// prompt. Each sample draws its first token from the leader's logits. From then on it is an ordinary
// sequence, except that open() lets it share the tokens that it has in common with the leader (Kwon et al.
// 2023, section 4.4).

#include <algorithm>
#include <iterator>
#include <utility>

#include "loop/step_loop.hpp"

namespace rung {

StepLoop::StepLoop(const LoopParts& parts, LoopConfig config)
    : executor_(parts.executor),
      memory_(parts.memory),
      scheduler_(parts.scheduler),
      policy_(parts.policy),
      tokenizer_(parts.tokenizer),
      log_(parts.log),
      clock_(parts.executor.clock()),
      config_(std::move(config)),
      flights_(static_cast<std::size_t>(parts.executor.depth())) {}

int StepLoop::submit(Request request, const std::function<OnDelta(int sample)>& others) {
  check_request(request, config_.requests);
  check_prompt_fits(request.prompt.size(), config_.requests);
  check_queue(request.n);
  const int first = next_id_;
  const int n = std::exchange(request.n, 1);
  Request next;
  if (n > 1) next = request;
  const Sequence& leader = enqueue(add(first, std::move(request), tokenizer_), nullptr);
  for (int i = 1; i < n; ++i) {
    ++next.sampling.seed;
    next.on_delta = others ? others(i) : OnDelta{};
    enqueue(add(next_id_, next, tokenizer_), &leader);
  }
  return first;
}

int StepLoop::fork(int id, std::uint64_t seed, OnDelta on_delta) {
  if (in_step_) fail_usage("request {} cannot be forked by a listener; fork it between two steps", id);
  Sequence& from = find(id);
  if (from.finished()) fail_usage("request {} has ended; fork a request while it waits or runs", id);
  if (from.length() > config_.requests.context) {
    fail_usage(
        "request {} has {} tokens, but its context holds {}, so the cache has dropped tokens that a fork "
        "needs; fork it earlier",
        id, from.length(), config_.requests.context);
  }
  check_queue(1);
  Sequence& s = add(next_id_, from, seed);
  s.request.on_delta = std::move(on_delta);
  s.request.arrival_s = -1;
  const bool held = std::count(held_.begin(), held_.end(), &from) > 0;
  return enqueue(s, held ? static_cast<const Sequence*>(from.fork_of) : &from).id;
}

/// Appends a new sequence to the list and registers its id.
template <class... Arguments>
Sequence& StepLoop::add(Arguments&&... arguments) {
  Sequence& s = sequences_.emplace_back(std::forward<Arguments>(arguments)...);
  by_id_[s.id] = std::prev(sequences_.end());
  return s;
}

Sequence& StepLoop::enqueue(Sequence& s, const Sequence* leader) {
  ++next_id_;
  s.arrival_s = s.request.arrival_s >= 0 ? s.request.arrival_s : clock_.seconds();
  log_.add({.kind = EventKind::queued,
            .sequence = s.id,
            .at_s = s.arrival_s,
            .tokens = s.prompt_tokens,
            .context = static_cast<int>(queues_.waiting.size() + held_.size())});
  if (policy_ != nullptr) policy_->arrived(s);
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

void StepLoop::check_queue(int more) {
  const std::size_t waiting = queues_.waiting.size() + held_.size();
  if (config_.max_waiting == 0 ||
      waiting + static_cast<std::size_t>(more) <= static_cast<std::size_t>(config_.max_waiting)) {
    return;
  }
  ++stats_.refused;
  throw QueueFull(fmt::format(
      "{} requests wait already, and at most {} can wait, so {} more cannot be accepted; try again "
      "later, or raise --max-waiting",
      waiting, config_.max_waiting, more));
}

// If a request ends early while samples wait for its prompt, the first of these samples becomes their leader
// and computes the prompt for all of them.
void StepLoop::forget_source(const Sequence& gone) {
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

Sequence& StepLoop::find(int id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    fail_usage("there is no request {}: the id is unknown, or its result was taken", id);
  return *found->second;
}

void StepLoop::cancel(int id) {
  Sequence& s = find(id);
  if (s.finished()) return;
  if (in_step_ || s.in_flight > 0) {
    if (!in_step_) std::erase(queues_.running, &s);  // no further step computes it
    cancelled_later_.push_back(id);
    return;
  }
  s.finish(FinishReason::cancelled, clock_.seconds());
  retire(s);
}

bool StepLoop::finished(int id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && found->second->finished();
}

Result StepLoop::take(int id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    fail_usage("there is no request {}: the id is unknown, or its result was taken", id);
  if (!found->second->finished()) fail_usage("request {} has not ended; take its result when it has", id);
  Result result = std::move(found->second->result);
  sequences_.erase(found->second);
  by_id_.erase(found);
  return result;
}

}  // namespace rung
