#include "cli/comparison.hpp"

#include <algorithm>

#include "catalog/variants.hpp"
#include "seams/workload.hpp"

namespace rung::cli {

LoadedVariant::LoadedVariant(const VariantSpec& spec) {
  spec.parse_into(options);
  config = options.run.config();
  model = options.run.load();
  stored.name = spec.name;
  stored.options = spec.options;
  stored.model = options.run.model.empty() ? "tiny" : options.run.model;
}

std::unique_ptr<PartRunner> make_runner(const PartPlan& plan, const std::vector<VariantSpec>& variants) {
  if (plan.measure == "quality") return make_quality_runner(plan, variants);
  return plan.measure == "serving" ? make_serving_runner(plan, variants) : make_speed_runner(plan, variants);
}

}  // namespace rung::cli
