// Registers the rungs, and adapts the learner's functions to the seam.

#include <cmath>

#include "core/error.hpp"
#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

/// The learner's rank, from the lengths of answers that the learner's function has collected.
class Mine final : public Policy {
 public:
  explicit Mine(const PolicyConfig& config) : config_(config) {}
  double rank(const ScheduledSequence& s, double now_s) const override {
    return my_rank(config_, lengths_, s, now_s);
  }
  void finished(const ScheduledSequence& s) override { my_learn(lengths_, s); }

 private:
  PolicyConfig config_;
  AnswerLengths lengths_;
};

std::unique_ptr<Policy> make_mine(const PolicyConfig& config) { return std::make_unique<Mine>(config); }

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Policy>& ladder = registry.ladder<Policy>();
  using Make = std::unique_ptr<Policy> (*)(const PolicyConfig&);
  const auto add = [&](const std::string& name, const char* summary, Make make, bool exercise = false) {
    // Which policy is best depends on the goal and not on the machine, so auto selects the first one.
    ladder.add(
        {{name, "03_techniques/scheduling/" + name + ".cpp", summary, exercise, /*automatic=*/name == "fifo"},
         [make](const PolicyConfig& config) {
           for (const double value : {config.aging_s, config.input_cost, config.output_cost,
                                      config.ttft_target_s, config.tpot_target_s}) {
             if (!(value > 0 && std::isfinite(value))) {
               fail_usage("a policy's times and costs are finite numbers above 0, not {}", value);
             }
           }
           return make(config);
         },
         {}});
  };
  add("fifo", "the request that arrived first", make_fifo);
  add("priority", "the most urgent request; waiting counts too", make_priority);
  add("shortest_first", "the request that probably needs the fewest further tokens", make_shortest_first);
  add("fair_share", "a request of the user with the smallest bill", make_fair_share);
  add("deadline", "the request whose next token is due first", make_deadline);
  add("longest_prefix_match", "the request with the largest cached share of its prompt; waiting counts too",
      make_longest_prefix_match);
  add("adaptive", "fifo, or shortest_first while the queue is long", make_adaptive);
  add("mine", "yours to write", make_mine, /*exercise=*/true);
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_goals = [&ladder] { return goals(ladder); };
  ladder.make_steps = steps;
}

}  // namespace rung::scheduling
