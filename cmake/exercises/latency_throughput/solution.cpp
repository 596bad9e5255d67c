// A learner's rung that passes. The test of the exercise flow puts it in the place of
// 01_challenges/latency_throughput/mine.cpp on a scratch copy.

#include "latency_throughput.hpp"

namespace rung::latency_throughput {

StepSeconds mine(const StepCostConfig& config, std::span<const StepSequence> batch) {
  const auto longer = [&](double bytes, double flops, double rate) {
    return std::max(bytes / config.limits.read_bytes_per_s, flops / rate);
  };
  const StepModel& m = config.model;
  const double rows = step_rows(batch), outputs = step_outputs(batch);
  StepSeconds s;
  s.products = longer(layer_bytes(m, rows), 2 * m.layer_weights * rows, config.limits.product_flops_per_s);
  if (outputs > 0) {
    s.products += longer(m.output_bytes, 2 * m.output_weights * outputs, config.limits.product_flops_per_s);
  }
  for (const StepSequence& sequence : batch) {
    for (const StepAttention& a : m.attention) {
      s.attention +=
          longer(a.kv_bytes * keys_read(sequence, a.window), a.flops_per_pair * pairs(sequence, a.window),
                 config.limits.attention_flops_per_s);
    }
  }
  return s;
}

}  // namespace rung::latency_throughput
