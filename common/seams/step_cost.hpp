#pragma once
// Seam `step_cost`: how many seconds one step of an engine takes, before it is run.
//
// `rung plan --latency` asks it; so may whoever has to choose between steps, or plays an engine without a
// model. Pure arithmetic: no tensor, no device. Units: seconds, bytes, floating-point operations (a
// multiply-add is two).
//
// Thread safety: seconds() is const and may be called by many threads.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "core/error.hpp"

namespace rung {

/// Layers whose attention sees equally much.
struct StepAttention {
  int window = 0;             // a token sees itself and the window - 1 tokens before it; 0: all of them
  double kv_bytes = 0;        // keys and values of one token, in all these layers together
  double flops_per_pair = 0;  // of one query with one key, in all these layers: 4 * layers * heads * head_dim
};

/// A model as far as time depends on it.
struct StepModel {
  std::string name;
  double layer_bytes = 0;     // weights in the layers that every step reads, however many tokens it has
  double layer_weights = 0;   // weights in the layers that one token meets (of a mixture: of its experts)
  double output_bytes = 0;    // the output matrix
  double output_weights = 0;  // which only rows meet whose logits are wanted
  double expert_bytes = 0;    // of all experts of all layers; 0: no mixture
  double expert_share = 0;    // experts_per_token / experts
  std::vector<StepAttention> attention;
};

/// What the machine does at best (core/machine.hpp), or another machine by its data sheet.
struct StepLimits {
  double read_bytes_per_s = 0;
  double product_flops_per_s = 0;    // in the linear layers
  double attention_flops_per_s = 0;  // between queries and keys, weights and values
};

/// One sequence's share of a step, as in seams/batch.hpp.
struct StepSequence {
  std::int32_t query_count = 1;     // new tokens; >= 1
  std::int32_t context_length = 1;  // tokens that the last of them sees, itself included; >= query_count
  bool output = true;               // whether logits are wanted, after the last one
};

/// A step that was timed.
struct StepSample {
  std::vector<StepSequence> batch;
  double seconds = 0;
};

struct StepCostConfig {
  StepModel model;
  StepLimits limits;
  std::vector<StepSample> samples;  // of this model on this machine; may be empty

  std::string describe() const {
    return fmt::format("{}: {:.3g} bytes of weights, {} measured steps", model.name,
                       model.layer_bytes + model.output_bytes + model.expert_bytes, samples.size());
  }
  /// Throws Error for numbers that cannot be, naming the first.
  void validate() const;
};

struct StepSeconds {
  double products = 0;   // with the weights: reading them or computing, whichever takes longer
  double attention = 0;  // reading keys and values, and computing with them
  double total() const { return products + attention; }
};

inline constexpr std::int32_t kMaxStepContext = 1 << 28;

/// Throws UsageError for counts out of range.
void check_step(std::span<const StepSequence> batch);

class StepCost {
 public:
  static constexpr std::string_view kSeam = "step_cost";
  using Config = StepCostConfig;

  virtual ~StepCost() = default;

  /// Seconds of one step. A step of no sequences takes none. Throws UsageError for counts out of range.
  virtual StepSeconds seconds(std::span<const StepSequence> batch) const = 0;
};

}  // namespace rung
