// Registers the rungs, wraps functions and measured steps in a StepCost, and has the checks that all rungs
// share.

#include <memory>
#include <utility>

#include "latency_throughput.hpp"

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
    check_step(batch);
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
    check_step(batch);
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
  add("weights", "each step reads all weights, and nothing else takes time", weights);
  add("roofline", "products take the longer of reading and computing", roofline);
  add("roofline_kv", "adds attention: keys and values of each sequence, and the n^2 of a prompt",
      roofline_kv);
  ladder.add({{"fitted", fmt::format("{}fitted.cpp", kFolder), "least squares over measured steps"},
              [](const StepCostConfig& config) { return std::make_unique<Fitted>(config); },
              enough_samples});
  add("mine", "yours to write", mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::latency_throughput
