// Names -> rungs, the class that turns a function into a Quantizer, and the checks that all rungs share.

#include <cmath>

#include "exercise.hpp"
#include "quantization.hpp"

namespace rung::quantization {
namespace {

constexpr const char* kFolder = "03_techniques/quantization/";

class FunctionQuantizer final : public Quantizer {
 public:
  FunctionQuantizer(Function function, const QuantizerConfig& config)
      : function_(function), config_(config) {}

  void quantize(const float* x, const float* weights, void* blocks, std::int64_t n) const override {
    const DTypeTraits& format = traits(config_.type);
    if (n % format.block_elements != 0) {
      fail("a row of {} elements is no multiple of {}'s blocks of {}", n, format.name, format.block_elements);
    }
    constexpr float kLargest = 65504.0f;
    for (std::int64_t i = 0; i < n; ++i) {
      if (!(std::fabs(x[i]) <= kLargest)) {
        fail("element {} of the row is {}; {} holds numbers of magnitude {} at most", i, x[i], format.name,
             kLargest);
      }
    }
    function_(config_.type, x, config_.weighted ? weights : nullptr, blocks, n);
  }

 private:
  Function function_;
  QuantizerConfig config_;
};

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Quantizer>& ladder = registry.ladder<Quantizer>();
  const auto add = [&](const char* name, const char* summary, Function function,
                       bool (*supports)(const QuantizerConfig&), bool automatic = true,
                       bool exercise = false) {
    ladder.add({{name, fmt::format("{}{}.cpp", kFolder, name), summary, exercise, automatic},
                [function](const QuantizerConfig& config) {
                  return std::make_unique<FunctionQuantizer>(function, config);
                },
                supports});
  };
  add("absmax", "the largest magnitude sets the scale, rounding to the nearest", absmax, absmax_supports);
  add("search", "about twenty scales around it, least squares decides", search, search_supports);
  add("weighted", "the same, errors weighted by the inputs that they meet", weighted, weighted_supports);
  add("exact", "every scale at which a quant changes: the optimum", exact, exact_supports,
      /*automatic=*/false);
  add("mine", "yours to write: q4_0", mine, mine_supports, /*automatic=*/false, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
  ladder.make_goals = [&ladder] { return goals(ladder); };
}

}  // namespace rung::quantization
