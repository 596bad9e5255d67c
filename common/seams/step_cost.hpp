#pragma once
// Seam `step_cost`: predicts how many seconds one step of an engine takes.
//
// `rung plan --latency` uses it. Code that chooses between steps, or that simulates an engine without a
// model, can use it too. A rung only calculates: it uses no tensor and no device. Units: seconds, bytes, and
// floating-point operations (flops); a multiply-add is two of them.
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

/// The layers whose attention has the same window.
struct StepAttention {
  int window = 0;             // a token sees itself and the window - 1 tokens before it; 0: all of them
  double kv_bytes = 0;        // bytes of one token's keys and values, in all these layers together
  double flops_per_pair = 0;  // of one query and one key, in all these layers: 4 * layers * heads * head_dim
};

/// The properties of a model that determine the time of a step.
struct StepModel {
  std::string name;
  double layer_bytes = 0;     // bytes of the layers' weights that every step reads, without the experts
  double layer_weights = 0;   // weights of the layers that one token uses, including only its own experts
  double output_bytes = 0;    // bytes of the output matrix
  double output_weights = 0;  // weights of the output matrix, used only by rows whose logits are requested
  double expert_bytes = 0;    // bytes of all experts of all layers; 0: no mixture of experts
  double expert_share = 0;    // experts_per_token / experts
  std::vector<StepAttention> attention;
};

/// The speed of this machine at best (core/machine.hpp), or of another machine according to its data sheet.
struct StepLimits {
  double read_bytes_per_s = 0;
  double product_flops_per_s = 0;    // in the linear layers
  double attention_flops_per_s = 0;  // in the products of queries with keys, and of weights with values
};

/// One sequence's share of a step, as in seams/batch.hpp.
struct StepSequence {
  std::int32_t query_count = 1;     // new tokens; >= 1
  std::int32_t context_length = 1;  // tokens that the last of them sees, itself included; >= query_count
  bool output = true;               // whether the logits of the last token are requested
};

/// A step whose time was measured.
struct StepSample {
  std::vector<StepSequence> batch;
  double seconds = 0;
};

struct StepCostConfig {
  StepModel model;
  StepLimits limits;
  std::vector<StepSample> samples;  // measured with this model on this machine; may be empty

  std::string describe() const {
    return fmt::format("{}: {:.3g} bytes of weights, {} measured steps", model.name,
                       model.layer_bytes + model.output_bytes + model.expert_bytes, samples.size());
  }
  /// Throws Error that names the first impossible number.
  void validate() const;
};

/// The predicted time of a step, in seconds.
struct StepSeconds {
  double products = 0;   // of the products with the weights: reading or computing, whichever takes longer
  double attention = 0;  // of reading the keys and values, and computing with them
  double total() const { return products + attention; }
};

inline constexpr std::int32_t kMaxStepContext = 1 << 28;  // largest StepSequence::context_length

/// Throws UsageError for counts out of range.
void check_step(std::span<const StepSequence> batch);

class StepCost {
 public:
  static constexpr std::string_view kSeam = "step_cost";
  using Config = StepCostConfig;

  virtual ~StepCost() = default;

  /// Returns the predicted time of one step; 0 for a step without sequences. Throws UsageError for counts out
  /// of range.
  virtual StepSeconds seconds(std::span<const StepSequence> batch) const = 0;
};

}  // namespace rung
