// Rung 0 of `step_cost`: every step reads the weights once, and nothing else takes time. One division, right
// to some per cent for one sequence with a short context, and it says at once why batches pay: the same step
// serves all of them.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds weights(const StepCostConfig& config, std::span<const StepSequence> batch) {
  const double bytes = layer_bytes(config.model, step_rows(batch)) + config.model.output_bytes;
  return {bytes / config.limits.read_bytes_per_s, 0};
}

}  // namespace rung::latency_throughput
