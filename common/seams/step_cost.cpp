// The checks of a step and of the configuration of a cost model.

#include "seams/step_cost.hpp"

#include <cmath>

namespace rung {

void check_step(std::span<const StepSequence> batch) {
  for (const StepSequence& s : batch) {
    if (s.query_count >= 1 && s.context_length >= s.query_count && s.context_length <= kMaxStepContext)
      continue;
    fail_usage(
        "a sequence of {} new tokens within {} tokens cannot be in a step; it must have at least 1 new "
        "token, "
        "at least as many tokens in total, and at most {} in total",
        s.query_count, s.context_length, kMaxStepContext);
  }
}

void StepCostConfig::validate() const {
  const auto check = [&](const char* what, double value, bool positive) {
    if (std::isfinite(value) && (positive ? value > 0 : value >= 0)) return;
    fail("{}: {} is {}; it must be a finite number {}", model.name, what, value,
         positive ? "above 0" : "of at least 0");
  };
  check("the read bandwidth (bytes per second)", limits.read_bytes_per_s, true);
  check("the speed of products (flops per second)", limits.product_flops_per_s, true);
  check("the speed of attention (flops per second)", limits.attention_flops_per_s, true);
  check("the number of bytes in the layers", model.layer_bytes, false);
  check("the number of weights in the layers", model.layer_weights, false);
  check("the number of bytes in the output matrix", model.output_bytes, false);
  check("the number of weights in the output matrix", model.output_weights, false);
  check("the number of bytes in the experts", model.expert_bytes, false);
  check("the share of experts per token", model.expert_share, false);
  if (model.expert_share > 1)
    fail("{}: the share of experts per token is {}; it must be at most 1", model.name, model.expert_share);
  for (const StepAttention& layers : model.attention) {
    check("the window", layers.window, false);
    check("the number of bytes of keys and values", layers.kv_bytes, false);
    check("the number of flops per query and key", layers.flops_per_pair, false);
  }
  for (const StepSample& sample : samples) {
    check("the time of a measured step (seconds)", sample.seconds, true);
    check_step(sample.batch);
    if (sample.batch.empty()) fail("{}: a measured step has no sequences; it needs at least 1", model.name);
  }
}

}  // namespace rung
