#pragma once
// A server without a model: a scheduler, a policy and a memory that only counts, on a clock that a cost
// function moves. It judges rungs of `scheduler` and `policy`, and answers "what if" faster than any machine
// could run it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/percentile.hpp"
#include "seams/policy.hpp"
#include "seams/scheduler.hpp"

namespace rung {

struct SimulatedRequest {
  double arrival_s = 0;
  int prompt_tokens = 1;
  int output_tokens = 1;
  int user = 0;
  int priority = 0;
  double ttft_target_s = 0, tpot_target_s = 0;
};

struct SimulatedOutcome {
  double first_token_s = 0;  // from its arrival
  double total_s = 0;        // from its arrival to the last token
  int preemptions = 0;
};

struct SimulationConfig {
  SchedulerConfig limits;
  std::int64_t kv_tokens = 0;  // that the cache holds, in blocks
  int block_size = 16;
  /// Seconds that a step with these chunks takes.
  std::function<double(const std::vector<Chunk>&)> step_s;
};

struct SimulationResult {
  std::vector<SimulatedOutcome> outcomes;  // per request
  std::vector<double> gaps_s;              // between one token of a request and the next, of all requests
  double end_s = 0;
  std::int64_t steps = 0, computed_tokens = 0, output_tokens = 0, preemptions = 0;

  double tokens_per_s() const { return static_cast<double>(output_tokens) / end_s; }
};

/// Memory that counts blocks and keeps nothing of who is preempted.
class SimulatedKv final : public KvSpace {
 public:
  SimulatedKv(std::int64_t tokens, int block_size, int sequences)
      : block_size_(block_size), free_blocks_(tokens / block_size), free_places_(sequences) {}

  bool open(ScheduledSequence& s) override {
    if (free_places_ == 0) return false;
    --free_places_;
    s.kv = 0;
    s.computed = 0;
    blocks_.resize(std::max(blocks_.size(), static_cast<std::size_t>(s.id) + 1), 0);
    return true;
  }
  bool grow(ScheduledSequence& s, int length) override {
    std::int64_t& blocks = blocks_[static_cast<std::size_t>(s.id)];
    const std::int64_t more = (length + block_size_ - 1) / block_size_ - blocks;
    if (more > free_blocks_) return false;
    if (more > 0) blocks += more, free_blocks_ -= more;
    return true;
  }
  void preempt(ScheduledSequence& s) override {
    free_blocks_ += std::exchange(blocks_[static_cast<std::size_t>(s.id)], 0);
    ++free_places_;
    s.kv = -1;
    s.computed = 0;
  }
  bool has_room(std::int64_t tokens) const override { return free_blocks_ * block_size_ >= tokens; }
  bool holds(const ScheduledSequence& s, int length) const {
    return blocks_[static_cast<std::size_t>(s.id)] * block_size_ >= length;
  }

 private:
  std::int64_t block_size_, free_blocks_;
  int free_places_;
  std::vector<std::int64_t> blocks_;  // of each sequence, by id
};

/// What a scheduler that plans nothing leaves undone, as the end of "expected ...".
inline std::string work_left(const Queues& queues) {
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

/// Serves `requests` (in order of arrival) to the end. Throws Error, which names the step and the request,
/// when the scheduler breaks a rule of its seam or does nothing for a thousand steps while somebody waits.
inline SimulationResult simulate(Scheduler& scheduler, Policy* policy,
                                 const std::vector<SimulatedRequest>& requests,
                                 const SimulationConfig& config) {
  SimulationResult result;
  result.outcomes.resize(requests.size());
  SimulatedKv kv(config.kv_tokens, config.block_size, config.limits.max_sequences);
  std::vector<ScheduledSequence> sequences(requests.size());
  std::vector<double> last_token_s(requests.size(), 0);
  Queues queues;
  std::vector<Chunk> plan;
  std::size_t arrived = 0, finished = 0;
  int idle = 0;
  double now = 0;
  const auto broken = [&](const ScheduledSequence* s, const std::string& expected, const std::string& got) {
    fail("shape [{} requests], index [step {}{}]: expected {}, got {}", requests.size(), result.steps,
         s == nullptr ? "" : fmt::format(", request {}", s->id), expected, got);
  };
  while (finished < requests.size()) {
    for (; arrived < requests.size() && requests[arrived].arrival_s <= now; ++arrived) {
      const SimulatedRequest& r = requests[arrived];
      ScheduledSequence& s = sequences[arrived];
      s.id = static_cast<int>(arrived);
      s.prompt_tokens = r.prompt_tokens;
      s.max_tokens = r.output_tokens;
      s.arrival_s = r.arrival_s;
      s.user = r.user;
      s.priority = r.priority;
      s.ttft_target_s = r.ttft_target_s;
      s.tpot_target_s = r.tpot_target_s;
      queues.waiting.push_back(&s);
      if (policy != nullptr) policy->arrived(s);
    }
    if (policy != nullptr) sort_by_policy(queues, *policy, now);
    plan.clear();
    scheduler.schedule(queues, kv, now, plan);
    if (plan.empty()) {
      if (queues.waiting.empty() && queues.running.empty()) {
        now = requests[arrived].arrival_s;  // nothing to do before that
      } else if (++idle == 1000) {
        broken(nullptr, work_left(queues), "no chunk in a thousand steps");
      } else {
        now += std::max(config.limits.window_s / 8, 1e-6);
      }
      continue;
    }
    idle = 0;
    ++result.steps;
    int tokens = 0, samples = 0;
    for (const Chunk& chunk : plan) {
      const ScheduledSequence& s = *chunk.sequence;
      tokens += chunk.count;
      samples += chunk.outputs();
      if (s.state != SequenceState::running || s.kv < 0)
        broken(&s, "a running sequence", "one that does not run");
      if (chunk.count < 1 || chunk.count > s.missing()) {
        broken(&s, fmt::format("1 to {} tokens", s.missing()), std::to_string(chunk.count));
      }
      if (!kv.holds(s, s.computed + chunk.count)) {
        broken(&s, fmt::format("room for {} tokens", s.computed + chunk.count), "less");
      }
      const auto times =
          std::count_if(plan.begin(), plan.end(), [&](const Chunk& c) { return c.sequence == &s; });
      if (plan.size() <= 64 && times != 1) broken(&s, "one chunk", std::to_string(times));
    }
    if (tokens > config.limits.max_step_tokens) {
      broken(nullptr, fmt::format("at most {} tokens", config.limits.max_step_tokens),
             std::to_string(tokens));
    }
    if (samples > config.limits.max_step_outputs) {
      broken(nullptr, fmt::format("at most {} sampled", config.limits.max_step_outputs),
             std::to_string(samples));
    }
    if (static_cast<int>(queues.running.size()) > config.limits.max_sequences) {
      broken(nullptr, fmt::format("at most {} running", config.limits.max_sequences),
             std::to_string(queues.running.size()));
    }
    now += config.step_s(plan);
    result.computed_tokens += tokens;
    for (const Chunk& chunk : plan) {
      ScheduledSequence& s = *chunk.sequence;
      const auto index = static_cast<std::size_t>(s.id);
      const bool sampled = chunk.samples();
      s.computed += chunk.count;
      if (policy != nullptr) policy->computed(s, chunk.count, sampled);
      if (!sampled) continue;
      ++result.output_tokens;
      SimulatedOutcome& outcome = result.outcomes[index];
      if (s.output_tokens++ == 0) {
        outcome.first_token_s = now - s.arrival_s;
      } else {
        result.gaps_s.push_back(now - last_token_s[index]);
      }
      last_token_s[index] = now;
      if (s.output_tokens < s.max_tokens) continue;
      outcome.total_s = now - s.arrival_s;
      outcome.preemptions = s.preemptions;
      result.preemptions += s.preemptions;
      std::erase(queues.running, &s);
      kv.preempt(s);  // gives its memory back
      s.state = SequenceState::finished;
      ++finished;
      if (policy != nullptr) policy->finished(s);
    }
  }
  result.end_s = now;
  return result;
}

}  // namespace rung
