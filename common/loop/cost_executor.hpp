#pragma once
// An executor without a model. It advances a simulated clock by the time that a cost function returns, and
// every token that it "samples" is token 0. It serves simulations, and a server that needs no model.

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "seams/executor.hpp"

namespace rung {

class CostExecutor final : public Executor {
 public:
  /// Returns how many seconds a step takes.
  using StepSeconds = std::function<double(const StepPlan& plan)>;

  /// `stages` is the number of stages of a pipeline. Each stage takes an equal share of a step's time, and as
  /// many plans as stages may be in flight.
  explicit CostExecutor(StepSeconds step_s, int stages = 1)
      : step_s_(std::move(step_s)), free_s_(static_cast<std::size_t>(stages), 0) {}

  int depth() const override { return static_cast<int>(free_s_.size()); }

  void submit(const StepPlan& plan) override {
    const double stage_s = step_s_(plan) / static_cast<double>(free_s_.size());
    Step step{&plan, clock_.seconds(), 0};
    double at_s = step.begin_s;
    for (double& free_s : free_s_) {  // a stage starts when it is free and the previous stage is done
      at_s = std::max(at_s, free_s) + stage_s;
      free_s = at_s;
    }
    step.end_s = at_s;
    steps_.push_back(step);
  }

  void collect(StepResult& result) override {
    const Step step = steps_.front();
    steps_.pop_front();
    clock_.advance_to(step.end_s);
    result.begin_s = step.begin_s;
    result.end_s = step.end_s;
    for (const StepChunk& chunk : step.plan->chunks) {
      result.computed += chunk.count - chunk.drafts;  // it makes no guesses
      if (chunk.samples) result.gains.resize(result.gains.size() + 1 + chunk.followers.size(), {1, 0});
    }
    result.tokens.resize(result.gains.size());  // token 0
  }

  SimulatedClock& clock() override { return clock_; }

 private:
  struct Step {
    const StepPlan* plan = nullptr;
    double begin_s = 0, end_s = 0;
  };
  StepSeconds step_s_;
  std::vector<double> free_s_;  // for each stage, the time at which it has finished all plans so far
  std::deque<Step> steps_;      // in flight
  SimulatedClock clock_;
};

}  // namespace rung
