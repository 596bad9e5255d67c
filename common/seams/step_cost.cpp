#include "seams/step_cost.hpp"

#include <cmath>

namespace rung {

void check_step(std::span<const StepSequence> batch) {
  for (const StepSequence& s : batch) {
    if (s.query_count >= 1 && s.context_length >= s.query_count && s.context_length <= kMaxStepContext)
      continue;
    fail_usage(
        "a sequence of {} new tokens within {} cannot be in a step; from 1 new token to as many as there "
        "are, "
        "and at most {}, are possible",
        s.query_count, s.context_length, kMaxStepContext);
  }
}

void StepCostConfig::validate() const {
  const auto check = [&](const char* what, double value, bool positive) {
    if (std::isfinite(value) && (positive ? value > 0 : value >= 0)) return;
    fail("{}: {} of {} cannot be; it must be {}", model.name, what, value,
         positive ? "more than 0" : "0 or more");
  };
  check("a read bandwidth (bytes per second)", limits.read_bytes_per_s, true);
  check("a rate of products (flops per second)", limits.product_flops_per_s, true);
  check("a rate of attention (flops per second)", limits.attention_flops_per_s, true);
  check("a number of bytes in the layers", model.layer_bytes, false);
  check("a number of weights in the layers", model.layer_weights, false);
  check("a number of bytes in the output matrix", model.output_bytes, false);
  check("a number of weights in the output matrix", model.output_weights, false);
  check("a number of bytes in the experts", model.expert_bytes, false);
  check("a share of experts per token", model.expert_share, false);
  if (model.expert_share > 1)
    fail("{}: {} experts of each one cannot be chosen", model.name, model.expert_share);
  for (const StepAttention& layers : model.attention) {
    check("a window", layers.window, false);
    check("a number of bytes of keys and values", layers.kv_bytes, false);
    check("a number of flops per query and key", layers.flops_per_pair, false);
  }
  for (const StepSample& sample : samples) {
    check("a measured step", sample.seconds, true);
    check_step(sample.batch);
    if (sample.batch.empty()) fail("{}: a measured step has no sequences", model.name);
  }
}

}  // namespace rung
