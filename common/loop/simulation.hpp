#pragma once
// A server without a model: the serving loop over an executor that only lets time pass. It judges rungs of
// `scheduler` and `policy`, and answers "what if" faster than any machine could run it.

#include <cstdint>
#include <functional>
#include <vector>

#include "loop/cost_executor.hpp"
#include "loop/event_log.hpp"
#include "loop/sequence_memory.hpp"
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
  CostExecutor::StepSeconds step_s;
  int stages = 1;  // of a pipeline (CostExecutor)
  /// Called after every step; may be empty.
  std::function<void(const SequenceMemory& memory, const Queues& queues)> observe = {};
};

struct SimulationResult {
  std::vector<SimulatedOutcome> outcomes;  // per request
  std::vector<double> gaps_s;              // between one token of a request and the next, of all requests
  double end_s = 0;
  std::int64_t steps = 0, computed_tokens = 0, output_tokens = 0, preemptions = 0;

  double tokens_per_s() const { return static_cast<double>(output_tokens) / end_s; }
};

/// Serves `requests` (in order of arrival) to the end, over memory that counts blocks. Throws Error, which
/// names the step and the request, if the scheduler breaks a rule of its seam or does nothing although a
/// request could go on.
SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config);

/// The same over `memory`; config.kv_tokens and block_size are not used. `log`: on the clock of `executor`.
SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config, SequenceMemory& memory, CostExecutor& executor,
                          EventLog& log);

}  // namespace rung
