#include "cli/comparison.hpp"

#include "measure/bench_report.hpp"

namespace rung::cli {

LoadedVariant::LoadedVariant(const VariantSpec& spec) {
  spec.parse_into(options);
  config = options.run.config();
  model = options.run.load();
  stored.name = spec.name;
  stored.options = spec.options;
  stored.model = options.run.model.empty() ? "tiny" : options.run.model;
}

void LoadedVariant::describe(const Engine& engine) {
  stored.rungs = engine.rungs();
  stored.weights_bytes = model->weights.bytes();
  stored.kv_bytes_per_token = kv_bytes_per_token(model->config, engine.config().kv_type);
}

std::unique_ptr<PartRunner> make_runner(const PartPlan& plan, const std::vector<VariantSpec>& variants) {
  if (plan.measure == "quality") return make_quality_runner(plan, variants);
  return plan.measure == "serving" ? make_serving_runner(plan, variants) : make_speed_runner(plan, variants);
}

}  // namespace rung::cli
