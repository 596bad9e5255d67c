#include "loop/simulation.hpp"

#include <climits>

#include "core/error.hpp"
#include "core/trial.hpp"
#include "loop/counting_space.hpp"
#include "loop/step_loop.hpp"

namespace rung {
namespace {

constexpr int kVocab = 1 << 20;

/// One run of the simulation: the requests that have arrived, and their outcomes.
class Run {
 public:
  Run(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
      const SimulationConfig& config, SequenceMemory& memory, CostExecutor& executor, EventLog& log)
      : requests_(requests),
        config_(config),
        memory_(memory),
        clock_(executor.clock()),
        last_token_s_(requests.size(), -1),
        loop_({executor, memory, scheduler, policy, nullptr, log}, loop_config(config)) {
    result_.outcomes.resize(requests.size());
  }

  SimulationResult serve() {
    for (std::size_t finished = 0; finished < requests_.size();) {
      let_arrive();
      clock_.next_event_s = arrived_ < requests_.size() ? requests_[arrived_].arrival_s
                                                        : std::numeric_limits<double>::infinity();
      if (!loop_.step()) clock_.advance_to(clock_.next_event_s);  // there is no work before that time
      if (config_.observe) config_.observe(memory_, loop_.queues());
      finished += ended_.size();
      for (const int id : ended_) take(id);
      ended_.clear();
    }
    const EngineStats stats = loop_.stats();
    result_.end_s = clock_.seconds();
    result_.steps = stats.steps;
    result_.computed_tokens = stats.computed_tokens;
    result_.output_tokens = stats.output_tokens;
    return std::move(result_);
  }

 private:
  static LoopConfig loop_config(const SimulationConfig& config) {
    LoopConfig loop;
    loop.requests = {kVocab, INT_MAX, INT_MAX};
    loop.longest = INT_MAX;
    loop.steps = config.limits;
    return loop;
  }

  void let_arrive() {
    for (; arrived_ < requests_.size() && requests_[arrived_].arrival_s <= clock_.seconds(); ++arrived_) {
      const SimulatedRequest& r = requests_[arrived_];
      Request request;
      request.prompt.assign(static_cast<std::size_t>(r.prompt_tokens), 0);
      request.cache_salt = arrived_ + 1;  // prompts have lengths and no content, so none is like another
      request.max_tokens = r.output_tokens;
      request.arrival_s = r.arrival_s;
      request.user = r.user;
      request.priority = r.priority;
      request.ttft_target_s = r.ttft_target_s;
      request.tpot_target_s = r.tpot_target_s;
      request.on_delta = [this, id = arrived_](const Delta& delta) { on_delta(id, delta); };
      loop_.submit(std::move(request));  // ids count from 0, in order of arrival
    }
  }

  void on_delta(std::size_t id, const Delta& delta) {
    const double now_s = clock_.seconds();
    SimulatedOutcome& outcome = result_.outcomes[id];
    if (last_token_s_[id] < 0) {
      outcome.first_token_s = now_s - requests_[id].arrival_s;
    } else {
      result_.gaps_s.push_back(now_s - last_token_s_[id]);
    }
    last_token_s_[id] = now_s;
    if (delta.finish_reason != FinishReason::none) ended_.push_back(static_cast<int>(id));
  }

  void take(int id) {
    const Result result = loop_.take(id);
    SimulatedOutcome& outcome = result_.outcomes[static_cast<std::size_t>(id)];
    outcome.total_s = result.total_s;
    outcome.preemptions = result.preemptions;
    result_.preemptions += result.preemptions;
  }

  const std::vector<SimulatedRequest>& requests_;
  const SimulationConfig& config_;
  SequenceMemory& memory_;
  SimulatedClock& clock_;
  SimulationResult result_;
  std::vector<double> last_token_s_;
  std::size_t arrived_ = 0;
  std::vector<int> ended_;  // in the last step
  StepLoop loop_;
};

}  // namespace

SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config, SequenceMemory& memory, CostExecutor& executor,
                          EventLog& log) {
  try {
    return Run(scheduler, policy, requests, config, memory, executor, log).serve();
  } catch (const BrokenRule& broken) {
    const std::string request = broken.request < 0 ? "" : fmt::format(", request {}", broken.request);
    fail("{}{}{}",
         mismatch_line(kIndexLine,
                       fmt::format("step {}{}, shape [{} requests]", broken.step, request, requests.size())),
         mismatch_line(kExpectedLine, broken.expected), mismatch_line(kActualLine, broken.got));
  }
}

SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config) {
  CountingSpace memory(config.kv_tokens, config.block_size, config.limits.max_sequences);
  CostExecutor executor(config.step_s, config.stages);
  EventLog log(executor.clock(), 0);
  return simulate(scheduler, policy, requests, config, memory, executor, log);
}

}  // namespace rung
