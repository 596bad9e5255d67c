// Registers the rungs, and wraps a function in a planner.

#include <utility>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

constexpr const char* kFolder = "01_challenges/kv_cache_analysis/";

class FunctionPlanner final : public KvPlanner {
 public:
  using Function = KvPlan (*)(const KvPlanConfig&, std::span<const std::int32_t>);

  FunctionPlanner(Function function, KvPlanConfig config) : function_(function), config_(std::move(config)) {
    config_.validate();
    for (const KvLayer& layer : config_.shape.layers) {
      per_token_ += static_cast<double>(layer_bytes(layer, config_.type));
    }
  }

  KvPlan plan(std::span<const std::int32_t> lengths) const override {
    if (lengths.size() > kMaxPlanSequences) {
      fail_usage("{} sequences are too many for one plan; at most {} are possible", lengths.size(),
                 kMaxPlanSequences);
    }
    const int most = config_.reserve > 0 ? config_.reserve : kMaxPlanTokens;
    double tokens = 0;  // as the least economical allocator rounds them
    for (const std::int32_t length : lengths) {
      if (length < 0 || length > most) {
        fail_usage("a sequence of {} tokens cannot be planned; 0 to {} are possible{}", length, most,
                   config_.reserve > 0 ? ", which is what was reserved for each" : "");
      }
      tokens += config_.reserve > 0 ? config_.reserve : 1.0 * length + 2.0 * config_.block_tokens;
    }
    if (!(per_token_ * tokens < 0x1p62)) {
      fail_usage("{} sequences would need {:.3g} bytes, more than 64-bit numbers count; plan for fewer",
                 lengths.size(), per_token_ * tokens);
    }
    return function_(config_, lengths);
  }

 private:
  Function function_;
  KvPlanConfig config_;
  double per_token_ = 0;  // bytes
};

using Supports = std::function<bool(const KvPlanConfig&)>;

bool plain(const KvPlanConfig& config) {
  const KvLayer& layer = config.shape.layers.front();
  return config.reserve == 0 && config.block_tokens == 1 && config.shape.uniform() && layer.latent == 0 &&
         layer.window == 0 && layer.key_dim == layer.value_dim;
}

bool token_by_token(const KvPlanConfig& config) { return config.block_tokens == 1; }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<KvPlanner>& ladder = registry.ladder<KvPlanner>();
  const auto add = [&](const char* name, const char* summary, FunctionPlanner::Function function,
                       Supports supports, bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise},
                [function](const KvPlanConfig& config) {
                  return std::make_unique<FunctionPlanner>(function, config);
                },
                std::move(supports)});
  };
  add("paper", "one product for the whole model, as papers print it", paper, plain);
  add("per_layer", "each layer separately: latents, windows, reserved memory", per_layer, token_by_token);
  add("blocks", "memory in blocks of tokens; layers counted once per kind", blocks, {});
  add("mine", "yours to write", mine, {}, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::kv_cache_analysis
