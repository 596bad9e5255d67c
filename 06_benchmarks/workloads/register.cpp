// Registers the rungs by name, and makes the learner's function a process.

#include "workloads.hpp"

namespace rung::workloads {
namespace {

/// Arrivals whose gaps are the learner's.
class Mine final : public Arrivals {
 public:
  explicit Mine(const ArrivalsConfig& config) : config_(config), rng_(config.seed) {}
  double gap() override { return my_gap(config_, rng_); }
  double expected(double t) const override { return config_.rate * t; }

 private:
  ArrivalsConfig config_;
  Rng rng_;
};

void register_arrivals(Ladder<Arrivals>& ladder) {
  using Make = std::unique_ptr<Arrivals> (*)(const ArrivalsConfig&);
  using Supports = bool (*)(const ArrivalsConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make, Supports supports,
                       bool exercise, bool automatic) {
    ladder.add({{name, "06_benchmarks/workloads/" + name + ".cpp", summary, exercise, automatic},
                [make](const ArrivalsConfig& config) {
                  check_arrivals(config);
                  return make(config);
                },
                supports});
  };
  const Supports even = [](const ArrivalsConfig& c) { return c.cv == 0; };
  const Supports one = [](const ArrivalsConfig& c) { return c.cv == 1; };
  const Supports above = [](const ArrivalsConfig& c) { return c.cv > 0; };
  add("uniform", "one every 1 / rate seconds", make_uniform, even, false, true);
  add("poisson", "independent requests: exponential gaps", make_poisson, one, false, true);
  add("gamma", "gamma-distributed gaps: bursts of any strength", make_gamma, above, false, true);
  // Only chosen by name, because it is a different load and not a better way to make the same one.
  add("tide", "a rate that rises and falls", make_tide, one, false, false);
  add("mine", "yours to write", make_mine, above, /*exercise=*/true, true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_steps = steps;
}

void register_workloads(Ladder<WorkloadMaker>& ladder) {
  using Make = std::unique_ptr<WorkloadMaker> (*)(const WorkloadConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make) {
    // The rungs are different loads and not faster versions of one load, so auto chooses the first one.
    ladder.add({{name, "06_benchmarks/workloads/" + name + ".cpp", summary, false, name == "random_lengths"},
                [make](const WorkloadConfig& config) {
                  check_workload(config);
                  return make(config);
                },
                {}});
  };
  add("random_lengths", "lengths drawn uniformly from two ranges", make_random_lengths);
  add("sharegpt", "log-normal lengths with the means of ShareGPT", make_sharegpt);
  add("chat", "conversations: each turn repeats all earlier turns", make_chat);
  add("agents", "trees: each answer is continued in several ways", make_agents);
  add("trace", "requests of a real server, scaled in length and time", make_trace);
}

}  // namespace

std::unique_ptr<Arrivals> make_mine(const ArrivalsConfig& config) { return std::make_unique<Mine>(config); }

void register_rungs(Registry& registry) {
  register_arrivals(registry.ladder<Arrivals>());
  register_workloads(registry.ladder<WorkloadMaker>());
}

}  // namespace rung::workloads
