// Registers the rungs, and makes a scheduler from each rung's function.

#include "batching.hpp"
#include "core/error.hpp"

namespace rung::batching {
namespace {

class FunctionScheduler final : public Scheduler {
 public:
  using Function = void (*)(Step&);

  FunctionScheduler(Function function, const SchedulerConfig& config) : function_(function), config_(config) {
    if (config.max_sequences < 1 || config.max_step_tokens < 1 || config.max_step_outputs < 1) {
      fail("a scheduler needs at least 1 sequence, 1 token and 1 output per step, but has {}, {} and {}",
           config.max_sequences, config.max_step_tokens, config.max_step_outputs);
    }
  }

  void schedule(Queues& queues, KvSpace& kv, double now_s, std::vector<Chunk>& plan) override {
    Step step(config_, queues, kv, now_s, plan);
    function_(step);
    waits_until_s_ = step.waits_until_s;
  }
  double waits_until_s() const override { return waits_until_s_; }

 private:
  Function function_;
  SchedulerConfig config_;
  double waits_until_s_ = 0;
};

}  // namespace

void register_rungs(Registry& registry) {
  Ladder<Scheduler>& ladder = registry.ladder<Scheduler>();
  const auto add = [&](const std::string& name, const char* summary, FunctionScheduler::Function function,
                       bool exercise = false) {
    ladder.add({{name, "03_techniques/batching/" + name + ".cpp", summary, exercise},
                [function](const SchedulerConfig& config) {
                  return std::make_unique<FunctionScheduler>(function, config);
                },
                {}});
  };
  add("one_at_a_time", "the next request starts when the previous one has ended", one_at_a_time);
  add("static_batch", "a batch starts together; the next one starts when all of it has ended", static_batch);
  add("dynamic_batch", "a static batch that starts when it is full, or after a short wait", dynamic_batch);
  add("continuous", "the batch changes before every step; prompts go first", continuous);
  add("chunked", "every step decodes and computes pieces of prompts", chunked);
  add("mine", "yours to write", mine, /*exercise=*/true);
  ladder.make_steps = steps;
  ladder.make_trials = [&ladder] { return trials(ladder); };
  ladder.make_goals = [&ladder] { return goals(ladder); };
}

}  // namespace rung::batching
