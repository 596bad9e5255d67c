// How requests come into the engine and leave it.

#include <utility>

#include "engine/engine.hpp"
#include "engine/resolve.hpp"

namespace rung {

int Engine::submit(Request request, const std::function<OnDelta(int sample)>& others) {
  check_request(request, *model_);
  check_prompt_fits(static_cast<std::int64_t>(request.prompt.size()), *model_, config_);
  check_queue(request.n);
  const int first = next_id_;
  const int n = std::exchange(request.n, 1);
  Request next;
  if (n > 1) next = request;
  const Tokenizer* tokenizer = model_->tokenizer.get();
  const Sequence& leader = enqueue(add(first, std::move(request), tokenizer), nullptr);
  for (int i = 1; i < n; ++i) {
    ++next.sampling.seed;
    next.on_delta = others ? others(i) : OnDelta{};
    enqueue(add(next_id_, next, tokenizer), &leader);
  }
  return first;
}

void Engine::check_queue(int more) {
  const std::size_t waiting = queues_.waiting.size() + held_.size();
  if (config_.max_waiting == 0 ||
      waiting + static_cast<std::size_t>(more) <= static_cast<std::size_t>(config_.max_waiting)) {
    return;
  }
  ++stats_.refused;
  throw QueueFull(
      fmt::format("{} requests wait for a place already and no more than {} may, so {} more cannot be taken; "
                  "try again later, "
                  "or raise --max-waiting",
                  waiting, config_.max_waiting, more));
}

Sequence& Engine::find(int id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) fail_usage("there is no request {}", id);
  return *found->second;
}

void Engine::cancel(int id) {
  Sequence& s = find(id);
  if (s.finished()) return;
  if (in_step_) {
    cancelled_in_step_.push_back(id);
    return;
  }
  s.finish(FinishReason::cancelled);
  retire(s);
}

bool Engine::finished(int id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && found->second->finished();
}

Result Engine::take(int id) {
  Sequence& s = find(id);
  if (!s.finished()) fail_usage("request {} is still running", id);
  Result result = std::move(s.result);
  const auto found = by_id_.find(id);
  sequences_.erase(found->second);
  by_id_.erase(found);
  return result;
}

Result Engine::run(Request request, const std::function<bool()>& cancelled) {
  const int id = submit(std::move(request));
  while (!finished(id)) {
    if (cancelled && cancelled()) {
      cancel(id);
    } else {
      step();
    }
  }
  return take(id);
}

}  // namespace rung
