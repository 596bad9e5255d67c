// Registers the rungs, wraps a function in a RopeStretch, and has the checks that all rungs share.

#include <cmath>
#include <utility>

#include "long_sequence.hpp"

namespace rung::long_sequence {
namespace {

constexpr const char* kFolder = "01_challenges/long_sequence/";

class FunctionRope final : public RopeStretch {
 public:
  using Function = RopeFrequencies (*)(const RopeStretchConfig&);

  FunctionRope(Function function, RopeStretchConfig config)
      : function_(function), config_(std::move(config)) {
    const double theta = config_.rope.theta;
    if (config_.rotary_dim < 2 || config_.rotary_dim % 2 != 0 || !(theta > 1) || !std::isfinite(theta)) {
      fail(
          "rotary positions over {} numbers with base {} cannot be: pairs of numbers and a base above 1 are "
          "needed",
          config_.rotary_dim, theta);
    }
    if (config_.trained_context < 1 || config_.context < 1) {
      fail("a context of {} tokens for a model trained for {} cannot be", config_.context,
           config_.trained_context);
    }
  }

  RopeFrequencies frequencies() const override { return function_(config_); }

 private:
  Function function_;
  RopeStretchConfig config_;
};

bool unstretched(const RopeStretchConfig& config) { return config.rope.scaling == RopeScaling::none; }
/// A single pair would be the fastest and the slowest pair at the same time.
bool two_pairs(const RopeStretchConfig& config) { return unstretched(config) && config.rotary_dim > 2; }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<RopeStretch>& ladder = registry.ladder<RopeStretch>();
  // `auto` chooses only `model`: to leave the trained length, a user must say how.
  const auto add = [&](const char* name, const char* summary, FunctionRope::Function function,
                       std::function<bool(const RopeStretchConfig&)> supports, bool automatic = false,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise, automatic},
                [function](const RopeStretchConfig& config) {
                  return std::make_unique<FunctionRope>(function, config);
                },
                std::move(supports)});
  };
  add("model", "what the model's own configuration says", model, {}, /*automatic=*/true);
  add("plain", "goes on counting beyond the trained length", plain, unstretched);
  add("linear", "divides every position by the stretch", linear, unstretched);
  add("ntk", "a larger base: stretches slow pairs, and fast ones hardly", ntk, two_pairs);
  add("yarn", "decides pair by pair, by its turns in training; sharper softmax", yarn, unstretched);
  add("mine", "yours to write", mine, unstretched, /*automatic=*/false, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::long_sequence
