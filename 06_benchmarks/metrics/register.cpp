// Registers the rungs by name.

#include "metrics.hpp"

namespace rung::metrics {

void register_rungs(Registry& registry) {
  Ladder<Quantile>& ladder = registry.ladder<Quantile>();
  using Make = std::unique_ptr<Quantile> (*)(const QuantileConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make, bool exercise,
                       bool automatic) {
    ladder.add({{name, "06_benchmarks/metrics/" + name + ".cpp", summary, exercise, automatic},
                [make](const QuantileConfig& config) {
                  if (!(config.relative_error > 1e-4 && config.relative_error < 0.5)) {
                    fail_usage("the error of a quantile is {}; it must be between 0.0001 and 0.5",
                               config.relative_error);
                  }
                  if (config.compression < 20 || config.compression > 10000) {
                    fail_usage("the compression of a sketch is {}; it must be from 20 to 10000",
                               config.compression);
                  }
                  return make(config);
                },
                {}});
  };
  add("sorted", "sorts all values", make_sorted, false, true);
  add("select", "moves only the requested value to its place", make_select, false, true);
  // Only chosen by name, because they keep little and are not exact.
  add("log_histogram", "counts in growing buckets: off by 1% of the value", make_log_histogram, false, false);
  add("t_digest", "means of neighboring values: off by a share of the rank", make_t_digest, false, false);
  add("mine", "yours to write", make_mine, /*exercise=*/true, true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
  ladder.make_goals = [&ladder] { return goals(ladder); };
}

}  // namespace rung::metrics
