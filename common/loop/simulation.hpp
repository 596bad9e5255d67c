#pragma once
// A simulated server without a model: the serving loop with an executor that only advances a simulated clock.
// It judges rungs of `scheduler` and `policy`, and it answers "what if" questions faster than a real run.

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
  double first_token_s = 0;  // from arrival to the first token
  double total_s = 0;        // from arrival to the last token
  int preemptions = 0;
};

struct SimulationConfig {
  SchedulerConfig limits;
  std::int64_t kv_tokens = 0;  // capacity of the cache in tokens, rounded down to whole blocks
  int block_size = 16;
  CostExecutor::StepSeconds step_s;
  int stages = 1;  // number of pipeline stages (CostExecutor)
  /// Called after every step; may be empty.
  std::function<void(const SequenceMemory& memory, const Queues& queues)> observe = {};
};

struct SimulationResult {
  std::vector<SimulatedOutcome> outcomes;  // per request
  std::vector<double> gaps_s;              // times between consecutive tokens of a request, for all requests
  double end_s = 0;
  std::int64_t steps = 0, computed_tokens = 0, output_tokens = 0, preemptions = 0;

  double tokens_per_s() const { return static_cast<double>(output_tokens) / end_s; }
};

/// Serves all `requests`, which are sorted by arrival, with a memory that only counts blocks. Throws Error if
/// the scheduler breaks a rule of its seam, or if it plans nothing although a request could continue. The
/// error names the step and, if there is one, the request.
SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config);

/// Does the same with `memory`, and ignores config.kv_tokens, block_size, step_s and stages. `log` uses the
/// clock of `executor`.
SimulationResult simulate(Scheduler& scheduler, Policy* policy, const std::vector<SimulatedRequest>& requests,
                          const SimulationConfig& config, SequenceMemory& memory, CostExecutor& executor,
                          EventLog& log);

}  // namespace rung
