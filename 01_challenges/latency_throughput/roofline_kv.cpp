// Rung 2 of `step_cost`: attention as well. Keys and values belong to one sequence, so nobody shares the
// reading of them, and a larger batch does not make it cheaper; in a prompt every token meets every one
// before it, which is the term that grows with the square of the length.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds roofline_kv(const StepCostConfig& config, std::span<const StepSequence> batch) {
  StepSeconds result = roofline(config, batch);
  for (const StepSequence& s : batch) {
    for (const StepAttention& layers : config.model.attention) {
      result.attention +=
          std::max(layers.kv_bytes * keys_read(s, layers.window) / config.limits.read_bytes_per_s,
                   layers.flops_per_pair * pairs(s, layers.window) / config.limits.attention_flops_per_s);
    }
  }
  return result;
}

}  // namespace rung::latency_throughput
