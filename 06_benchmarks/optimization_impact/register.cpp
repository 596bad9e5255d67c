// Registers the rungs by name.

#include "optimization_impact.hpp"

namespace rung::optimization_impact {

void register_rungs(Registry& registry) {
  Ladder<RatioInterval>& ladder = registry.ladder<RatioInterval>();
  using Make = std::unique_ptr<RatioInterval> (*)(const RatioIntervalConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make, bool exercise = false) {
    ladder.add({{name, "06_benchmarks/optimization_impact/" + name + ".cpp", summary, exercise},
                [make](const RatioIntervalConfig& config) {
                  if (!(config.confidence >= 0.5 && config.confidence <= 0.999)) {
                    fail_usage("the confidence of an interval is {}; it must be from 0.5 to 0.999",
                               config.confidence);
                  }
                  if (config.resamples < 100 || config.resamples > 100'000) {
                    fail_usage("the number of resamples is {}; it must be from 100 to 100000",
                               config.resamples);
                  }
                  return make(config);
                },
                {}});
  };
  add("means", "two means and their standard deviations", make_means);
  add("unpaired", "resamples each side separately", make_unpaired);
  add("paired", "resamples rounds", make_paired);
  add("stretched", "corrects the interval for few rounds", make_stretched);
  add("median", "resamples rounds; the median of their ratios", make_median);
  add("trimmed", "the middle three fifths of the rounds, and Student's t", make_trimmed);
  add("mine", "yours to write", make_mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
  ladder.make_goals = [&ladder] { return goals(ladder); };
}

}  // namespace rung::optimization_impact
