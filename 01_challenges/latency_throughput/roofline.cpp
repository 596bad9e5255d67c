// Rung 1 of `step_cost`: reading and computing overlap, so a product takes the longer of the two (Williams et
// al. 2009). The layers meet every row, the output matrix only rows whose logits are wanted. With this the
// throughput of a batch has a ceiling, and the batch at which it is reached is the knee.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds roofline(const StepCostConfig& config, std::span<const StepSequence> batch) {
  const StepModel& m = config.model;
  const double rows = step_rows(batch), outputs = step_outputs(batch);
  const double layers = std::max(layer_bytes(m, rows) / config.limits.read_bytes_per_s,
                                 2 * m.layer_weights * rows / config.limits.product_flops_per_s);
  if (outputs == 0) return {layers, 0};  // nobody asks for logits: the output matrix is not touched
  const double output = std::max(m.output_bytes / config.limits.read_bytes_per_s,
                                 2 * m.output_weights * outputs / config.limits.product_flops_per_s);
  return {layers + output, 0};
}

}  // namespace rung::latency_throughput
