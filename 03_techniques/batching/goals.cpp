// What makes a correct scheduler a good one: few steps for much work, and short waits. Both are counted on a
// machine whose every step takes the same time, as it does where the weights are all that is read.

#include <cmath>
#include <memory>

#include "batching.hpp"
#include "core/rng.hpp"
#include "loop/simulation.hpp"

namespace rung::batching {
namespace {

/// Requests that come at once. Every eighth answer is long.
std::vector<SimulatedRequest> rush() {
  Rng rng(20260401);
  std::vector<SimulatedRequest> requests(96);
  for (SimulatedRequest& r : requests) {
    r.prompt_tokens = 1 + static_cast<int>(rng.below(48));
    r.output_tokens = rng.below(8) == 0 ? 300 : 8 + static_cast<int>(rng.below(31));
  }
  return requests;
}

/// Requests that come one by one, a little faster than they can be served.
std::vector<SimulatedRequest> stream() {
  constexpr double kPerStep = 0.5;
  Rng rng(20260402);
  std::vector<SimulatedRequest> requests(200);
  double now = 0;
  for (SimulatedRequest& r : requests) {
    r.arrival_s = now;
    r.prompt_tokens = 1 + static_cast<int>(rng.below(60));
    r.output_tokens = 1 + static_cast<int>(rng.below(40));
    now += -std::log(1 - rng.uniform()) / kPerStep;
  }
  return requests;
}

SimulationResult serve(const Ladder<Scheduler>& ladder, const std::string& rung,
                       const std::vector<SimulatedRequest>& requests, int sequences) {
  SimulationConfig config;
  config.limits = {sequences, 64, sequences, 4.0};
  config.kv_tokens = 1 << 20;                           // room for all
  config.step_s = [](const StepPlan&) { return 1.0; };  // so that seconds count steps
  return simulate(*ladder.make(rung, config.limits), nullptr, requests, config);
}

}  // namespace

std::vector<Goal> goals(const Ladder<Scheduler>& ladder) {
  const auto steps = [&ladder](const std::string& rung) {
    return static_cast<double>(serve(ladder, rung, rush(), 16).steps);
  };
  const auto mean_wait = [&ladder](const std::string& rung) {
    const SimulationResult served = serve(ladder, rung, stream(), 8);
    double sum = 0;
    for (const SimulatedOutcome& outcome : served.outcomes) sum += outcome.first_token_s;
    return sum / static_cast<double>(served.outcomes.size());
  };
  return {{"steps to serve 96 requests that come at once, 16 places", "steps", "continuous", 1, steps},
          {"mean wait for the first token, 200 requests that come one by one, 8 places", "steps",
           "continuous", 1, mean_wait}};
}

}  // namespace rung::batching
