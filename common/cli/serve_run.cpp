#include "cli/serve_run.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace rung::cli {

ServeRun::ServeRun(Engine& engine, const Workload& load, std::uint64_t seed, int timeline)
    : engine_(engine),
      load_(load),
      seed_(seed),
      timeline_(timeline),
      texts_(load.requests.size()),
      ids_(load.requests.size()),
      followers_(load.requests.size()) {
  record_.served.resize(load.requests.size());
  for (std::size_t i = 0; i < load_.requests.size(); ++i) {
    const WorkloadRequest& r = load_.requests[i];
    record_.users.push_back(r.user);
    if (r.after < 0) {
      due_.push({r.arrival_s, i});
    } else {
      followers_[static_cast<std::size_t>(r.after)].push_back(i);
    }
  }
}

void ServeRun::execute(const std::function<void(double done)>& progress) {
  std::int64_t tokens = 0;
  for (const WorkloadRequest& r : load_.requests) tokens += r.output;
  for (bool more = true; more || !due_.empty();) {
    for (; !due_.empty() && due_.top().first <= clock_.seconds(); due_.pop()) submit(due_.top());
    const double begin_s = clock_.seconds();
    more = engine_.step();
    const double end_s = clock_.seconds();
    for (const std::size_t i : ended_) end(i, begin_s, end_s);
    ended_.clear();
    if (more) {
      timeline_.stepped(engine_, begin_s, end_s);
      observe_memory();
    } else if (!due_.empty() && due_.top().first > end_s) {
      std::this_thread::sleep_for(std::chrono::duration<double>(due_.top().first - end_s));
    }
    if (progress) progress(static_cast<double>(generated_) / static_cast<double>(tokens));
    check_interrupted();
  }
}

void ServeRun::submit(const Due& due) {
  const std::size_t i = due.second;
  const WorkloadRequest& r = load_.requests[i];
  std::vector<std::int32_t>& text = texts_[i];
  if (r.after >= 0) text = texts_[static_cast<std::size_t>(r.after)];
  for (const Segment& s : r.prompt) append_segment(s, seed_, engine_.model().config.vocab_size, text);
  ServedRequest& s = record_.served[i];
  s.arrival_s = due.first;
  s.prompt_tokens = static_cast<int>(text.size());
  Request request;
  request.prompt = text;
  request.max_tokens = r.output;
  request.sampling.temperature = 0;
  request.ignore_end = true;
  request.user = r.user;
  request.on_delta = [this, i](const Delta& delta) {
    for (const std::int32_t token : delta.token_ids) on_token(i, token);
  };
  try {
    ids_[i] = engine_.submit(std::move(request));
  } catch (const QueueFull&) {
    return refuse(i, due.first);
  }
  timeline_.submitted(i, ids_[i], due.first);
}

/// Marks a request and all that would have followed its answer, which are not sent.
void ServeRun::refuse(std::size_t i, double at_s) {
  record_.served[i].refused = true;
  record_.served[i].arrival_s = at_s;
  for (const std::size_t next : followers_[i]) refuse(next, at_s);
}

void ServeRun::on_token(std::size_t i, std::int32_t token) {
  ServedRequest& s = record_.served[i];
  const double now = clock_.seconds();
  ++generated_;
  if (s.output_tokens++ == 0) {
    s.first_s = now;
  } else {
    record_.gaps_s.push_back(now - s.last_s);
  }
  s.last_s = now;
  if (!followers_[i].empty()) texts_[i].push_back(token);
  if (s.output_tokens == load_.requests[i].output) ended_.push_back(i);
}

void ServeRun::end(std::size_t i, double begin_s, double end_s) {
  const Result result = engine_.take(ids_[i]);
  ServedRequest& s = record_.served[i];
  s.cached_tokens = result.cached_tokens;
  s.preemptions = result.preemptions;
  timeline_.finished(i, begin_s, end_s);
  for (const std::size_t next : followers_[i]) due_.push({s.last_s + load_.requests[next].think_s, next});
  if (followers_[i].empty()) texts_[i] = {};
}

void ServeRun::observe_memory() {
  const KvUse use = engine_.kv_use();
  if (use.taken == 0) return;
  record_.kv_waste_sum += use.waste();
  record_.kv_taken_sum += static_cast<double>(use.taken) / static_cast<double>(use.slots);
  ++record_.kv_samples;
}

void fit_to_load(EngineConfig& config, const Workload& load, const ModelConfig& model) {
  int longest = 0;
  for (std::size_t i = 0; i < load.requests.size(); ++i)
    longest = std::max(longest, load.prompt_tokens(i) + load.requests[i].output);
  if (config.context == 0) config.context = std::min(longest, model.context_length);
  if (longest > config.context) {
    fail_usage(
        "the longest request has {} tokens, but the context has {}; raise --ctx, use a smaller "
        "--length-scale, or leave out such requests of a trace with --max-length {}",
        longest, config.context, config.context);
  }
  for (const char* seam : {"workload", "arrivals", "quantile"}) config.rungs.erase(seam);
}

}  // namespace rung::cli
