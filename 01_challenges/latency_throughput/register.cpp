// Names -> rungs; the classes that make a StepCost of a function or of measured steps; and the checks that
// all rungs share.

#include <memory>
#include <utility>

#include "latency_throughput.hpp"

namespace rung {
namespace {

void check_batch(std::span<const StepSequence> batch) {
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

}  // namespace

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
    check_batch(sample.batch);
    if (sample.batch.empty()) fail("{}: a measured step has no sequences", model.name);
  }
}

}  // namespace rung

namespace rung::latency_throughput {
namespace {

constexpr const char* kFolder = "01_challenges/latency_throughput/";

class FunctionCost final : public StepCost {
 public:
  using Function = StepSeconds (*)(const StepCostConfig&, std::span<const StepSequence>);

  FunctionCost(Function function, StepCostConfig config) : function_(function), config_(std::move(config)) {
    config_.validate();
  }

  StepSeconds seconds(std::span<const StepSequence> batch) const override {
    check_batch(batch);
    return batch.empty() ? StepSeconds{} : function_(config_, batch);
  }

 private:
  Function function_;
  StepCostConfig config_;
};

class Fitted final : public StepCost {
 public:
  explicit Fitted(const StepCostConfig& config) : model_(config.model) {
    config.validate();
    coefficients_ = fit(config.model, config.samples);
  }

  StepSeconds seconds(std::span<const StepSequence> batch) const override {
    check_batch(batch);
    if (batch.empty()) return {};
    const Features f = features(model_, batch);
    const auto part = [&](std::size_t i) { return coefficients_[i] * f[i]; };
    return {part(0) + part(1) + part(2), part(3) + part(4)};
  }

 private:
  StepModel model_;
  Features coefficients_;
};

bool enough_samples(const StepCostConfig& config) { return config.samples.size() >= kFeatures; }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<StepCost>& ladder = registry.ladder<StepCost>();
  const auto add = [&](const char* name, const char* summary, FunctionCost::Function function,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise},
                [function](const StepCostConfig& config) {
                  return std::make_unique<FunctionCost>(function, config);
                },
                {}});
  };
  add("weights", "every step reads the weights, and that is all", weights);
  add("roofline", "products take the longer of reading and computing", roofline);
  add("roofline_kv", "attention as well: keys and values of every sequence, and the n^2 of a prompt",
      roofline_kv);
  ladder.add({{"fitted", fmt::format("{}fitted.cpp", kFolder), "least squares over steps that were measured"},
              [](const StepCostConfig& config) { return std::make_unique<Fitted>(config); },
              enough_samples});
  add("mine", "yours to write", mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
}

}  // namespace rung::latency_throughput
