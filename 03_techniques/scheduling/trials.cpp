// The trials of `policy`: in any order, ranks are finite numbers, all requests are served, and no request
// waits for ever while others keep coming. A good policy also keeps the mean latency low.

#include <cmath>
#include <memory>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "loop/first_come.hpp"
#include "loop/simulation.hpp"
#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

/// Passes everything on, and checks what comes back.
class Watched final : public Policy {
 public:
  explicit Watched(Policy& policy) : policy_(policy) {}
  double rank(const ScheduledSequence& s, double now_s) const override {
    const double rank = policy_.rank(s, now_s);
    if (!std::isfinite(rank)) {
      fail("{}", mismatch("ranks", "1 request", fmt::format("request {}", s.id), "a finite rank",
                          fmt::format("{}", rank)));
    }
    return rank;
  }
  void arrived(const ScheduledSequence& s) override { policy_.arrived(s); }
  void computed(const ScheduledSequence& s, int tokens, bool sampled) override {
    policy_.computed(s, tokens, sampled);
  }
  void finished(const ScheduledSequence& s) override { policy_.finished(s); }

 private:
  Policy& policy_;
};

constexpr int kPlaces = 4;

SimulationConfig config() {
  SimulationConfig config;
  config.limits = {kPlaces, 1 << 20, kPlaces, 0.01};
  config.kv_tokens = 1 << 20;
  config.step_s = [](const StepPlan& plan) { return 1e-3 + 1e-5 * plan.tokens(); };
  return config;
}

/// Short and long requests of three users, a little more than the machine can serve for a while.
std::vector<SimulatedRequest> crowd() {
  Rng rng(20260405);
  std::vector<SimulatedRequest> requests(400);
  double now = 0;
  for (SimulatedRequest& r : requests) {
    r.arrival_s = now;
    r.user = static_cast<int>(rng.below(3));
    r.priority = static_cast<int>(rng.below(3));
    r.prompt_tokens = 1 + static_cast<int>(rng.below(100));
    r.output_tokens =
        rng.below(4) == 0 ? 100 + static_cast<int>(rng.below(100)) : 1 + static_cast<int>(rng.below(20));
    now += -std::log(1 - rng.uniform()) / 90;
  }
  return requests;
}

Verdict judge(const Ladder<Policy>& ladder, const std::string& rung, bool starving) {
  PolicyConfig config_of_policy;
  config_of_policy.aging_s = 2;  // of ten that the stream lasts
  const auto policy = ladder.make(rung, config_of_policy);
  Watched watched(*policy);
  FirstCome scheduler(config().limits);
  std::vector<SimulatedRequest> requests = crowd();
  if (starving) {  // one long request of low priority, and more short urgent ones than can be served
    requests.assign(1, {0.001, 50, 200, 1, 0});
    for (int i = 0; i < 4000; ++i) requests.push_back({0.001 + 0.002 * i, 5, 10, 0, 1});
    std::swap(requests[0], requests[8]);
    requests[0].arrival_s = requests[8].arrival_s = 0.001;
  }
  const SimulationResult result = simulate(scheduler, &watched, requests, config());
  if (starving && result.outcomes[8].first_token_s > 0.8 * result.end_s) {
    return Verdict().fail(mismatch(
        "starvation", fmt::format("{} requests", requests.size()), "request 8",
        fmt::format("its first token before the last {:.1f} s of {:.1f}", 0.2 * result.end_s, result.end_s),
        fmt::format("it after {:.1f} s", result.outcomes[8].first_token_s)));
  }
  return {};
}

}  // namespace

std::vector<Trial> trials(const Ladder<Policy>& ladder) {
  std::vector<Trial> result(3);
  result[0].name = "a crowd of short and long requests";
  result[0].judge = judging([&ladder](const std::string& rung, int) { return judge(ladder, rung, false); });
  result[1].name = "a long request among a stream of short urgent ones";
  result[1].judge = judging([&ladder](const std::string& rung, int) {
    // These two do not promise it: a request can stay first as long as others like it keep coming.
    const bool promises = rung != "shortest_first" && rung != "fair_share";
    return promises ? judge(ladder, rung, true) : Verdict{};
  });
  result[2].name = "the ranks of 1,000 requests";
  result[2].timed = true;
  result[2].work.bytes = 1000.0 * sizeof(ScheduledSequence);
  result[2].judge = result[0].judge;
  result[2].prepare = [&ladder](const std::string& rung, int) -> std::function<void()> {
    struct State {
      std::unique_ptr<Policy> policy;
      std::vector<ScheduledSequence> sequences;
      Queues queues;
    };
    const auto state = std::make_shared<State>();
    state->policy = ladder.make(rung, {});
    state->sequences.resize(1000);
    Rng rng(1);
    for (std::size_t i = 0; i < state->sequences.size(); ++i) {
      ScheduledSequence& s = state->sequences[i];
      s.id = static_cast<int>(i);
      s.arrival_s = rng.uniform();
      s.user = static_cast<int>(rng.below(50));
      s.prompt_tokens = 1 + static_cast<int>(rng.below(2000));
      s.max_tokens = 100;
      state->policy->arrived(s);
      state->queues.waiting.push_back(&s);
    }
    return [state] { sort_by_policy(state->queues, *state->policy, 2); };
  };
  return result;
}

std::vector<Goal> goals(const Ladder<Policy>& ladder) {
  const auto count = [&ladder](const std::string& rung) {
    const auto policy = ladder.make(rung, {});
    Watched watched(*policy);
    FirstCome scheduler(config().limits);
    const SimulationResult served = simulate(scheduler, &watched, crowd(), config());
    double sum = 0;
    for (const SimulatedOutcome& outcome : served.outcomes) sum += outcome.total_s;
    return 1e3 * sum / static_cast<double>(served.outcomes.size());
  };
  return {{"mean time from arrival to the last token, 400 requests, 4 places", "simulated ms",
           "shortest_first", 1.2, count}};
}

}  // namespace rung::scheduling
