// The trials of `scheduler`. A simulated machine serves all requests to the end. Every step is checked
// against the rules of the seam, and the memory in use against its limit.

#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "batching.hpp"
#include "core/rng.hpp"
#include "loop/counting_space.hpp"
#include "loop/simulation.hpp"

namespace rung::batching {
namespace {

struct Workload {
  std::string name;
  int requests;
  double rate;  // per second
  int longest_prompt, longest_output;
  int sequences, step_tokens, outputs;
  std::int64_t kv_tokens;
  int block_size;
};

// The cost of a step of a small model on a small machine: reading the weights, and something per token.
double step_s(const StepPlan& plan) { return 1e-3 + 5e-5 * plan.tokens(); }

std::vector<SimulatedRequest> requests_of(const Workload& w) {
  Rng rng(20260401);
  std::vector<SimulatedRequest> requests(static_cast<std::size_t>(w.requests));
  double now = 0;
  const auto up_to = [&](int most) {
    return 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(most)));
  };
  for (SimulatedRequest& r : requests) {
    r.arrival_s = now;
    r.prompt_tokens = up_to(w.longest_prompt);
    r.output_tokens = up_to(w.longest_output);
    now += -std::log(1 - rng.uniform()) / w.rate;
  }
  return requests;
}

SimulationConfig config_of(const Workload& w) {
  SimulationConfig config;
  config.limits = {w.sequences, w.step_tokens, w.outputs, 0.01};
  config.kv_tokens = w.kv_tokens;
  config.block_size = w.block_size;
  config.step_s = step_s;
  return config;
}

std::vector<Workload> workloads() {
  return {
      {"one request", 1, 10, 20, 10, 1, 8, 1, 64, 16},
      {"requests of one token", 50, 1000, 1, 1, 4, 16, 4, 64, 1},
      {"more than run at once", 60, 500, 50, 40, 4, 64, 4, 4096, 16},
      {"prompts longer than a step", 40, 200, 300, 20, 8, 32, 8, 8192, 16},
      {"fewer outputs than sequences", 40, 500, 30, 30, 8, 64, 3, 4096, 16},
      {"steps of one token", 12, 100, 12, 6, 4, 1, 1, 1024, 4},
      {"memory for a quarter of them", 80, 1000, 60, 60, 16, 128, 16, 16 * 30, 8},
      {"memory for hardly more than one", 40, 1000, 60, 60, 8, 64, 8, 128, 4},
  };
}

}  // namespace

std::vector<Trial> trials(const Ladder<Scheduler>& ladder) {
  const auto judge = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    const SimulationConfig config = config_of(w);
    const auto scheduler = ladder.make(rung, config.limits);
    simulate(*scheduler, nullptr, requests_of(w), config);
    return Verdict();
  };
  std::vector<Trial> result = trials_of(workloads(), judge);

  // The cost of one step of the loop without the model: tokens must not wait for bookkeeping.
  for (const auto& [running, waiting] : {std::pair{32, 0}, {32, 1000}, {256, 1000}}) {
    Trial steps;
    steps.name = fmt::format("a decode step, {} running, {} waiting", running, waiting);
    steps.timed = true;
    steps.work.bytes = static_cast<double>(running) * sizeof(ScheduledSequence);
    steps.judge = judging([&ladder](const std::string& rung, int) {
      const Workload w{"", 4, 100, 8, 8, 2, 16, 2, 256, 16};
      simulate(*ladder.make(rung, config_of(w).limits), nullptr, requests_of(w), config_of(w));
      return Verdict();
    });
    steps.prepare = [&ladder, running = running, waiting = waiting](const std::string& rung,
                                                                    int) -> std::function<void()> {
      struct State {
        std::vector<ScheduledSequence> sequences;
        Queues queues;
        std::unique_ptr<CountingSpace> kv;
        std::unique_ptr<Scheduler> scheduler;
        std::vector<Chunk> plan;
      };
      const auto state = std::make_shared<State>();
      state->scheduler = ladder.make(rung, {running, 2048, running, 0.01});
      state->kv = std::make_unique<CountingSpace>(std::int64_t{1} << 40, 16, running);
      state->sequences.resize(static_cast<std::size_t>(running + waiting));
      for (int i = 0; i < running + waiting; ++i) {
        ScheduledSequence& s = state->sequences[static_cast<std::size_t>(i)];
        s.id = i;
        s.prompt_tokens = 100;
        if (i >= running) {
          state->queues.waiting.push_back(&s);
          continue;
        }
        state->kv->open(s);
        s.state = SequenceState::running;
        s.computed = 99;
        state->queues.running.push_back(&s);
      }
      return [state] {
        state->plan.clear();
        state->scheduler->schedule(state->queues, *state->kv, 1, state->plan);
      };
    };
    result.push_back(std::move(steps));
  }
  return result;
}

}  // namespace rung::batching
