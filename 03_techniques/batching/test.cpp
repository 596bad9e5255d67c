// Every rung on the trials, and for each rung the claim that it makes against the one below.

#include "batching.hpp"
#include "core/percentile.hpp"
#include "core/rng.hpp"
#include "loop/simulation.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::batching;

namespace {

const Ladder<Scheduler>& ladder() { return testing::ladder_of<Scheduler, register_rungs>(); }

double step_s(const StepPlan& plan) { return 1e-3 + 2e-5 * plan.tokens(); }

SimulationConfig config_of(int sequences, int step_tokens, std::int64_t kv_tokens) {
  SimulationConfig config;
  config.limits = {sequences, step_tokens, sequences, 0.02};
  config.kv_tokens = kv_tokens;
  config.step_s = step_s;
  return config;
}

SimulationResult run(const std::string& rung, const std::vector<SimulatedRequest>& requests,
                     const SimulationConfig& config) {
  return simulate(*ladder().make(rung, config.limits), nullptr, requests, config);
}

/// All there at once, with outputs that differ much in length.
std::vector<SimulatedRequest> mixed(int count) {
  Rng rng(7);
  std::vector<SimulatedRequest> requests(static_cast<std::size_t>(count));
  for (SimulatedRequest& r : requests) {
    r.prompt_tokens = 10 + static_cast<int>(rng.below(20));
    r.output_tokens = rng.below(8) == 0 ? 400 : 5 + static_cast<int>(rng.below(30));
  }
  return requests;
}

}  // namespace

TEST_CASE("every rung serves every request within the rules of the seam") {
  testing::judge_all(testing::registry_of<register_rungs>(), "scheduler");
}

TEST_CASE("a batch is faster than one at a time, and a continuous one faster than a static one") {
  const auto requests = mixed(256);
  const SimulationConfig config = config_of(16, 512, 1 << 20);
  const double alone = run("one_at_a_time", requests, config).tokens_per_s();
  const double fixed = run("static_batch", requests, config).tokens_per_s();
  const double continuous = run("continuous", requests, config).tokens_per_s();
  INFO(alone << " " << fixed << " " << continuous);
  CHECK(fixed > 2 * alone);
  CHECK(continuous > 2 * fixed);
}

TEST_CASE("a dynamic batch waits for company, but not for ever") {
  std::vector<SimulatedRequest> requests(4);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    requests[i].arrival_s = 0.004 * static_cast<double>(i);
    requests[i].prompt_tokens = 4;
    requests[i].output_tokens = 50;
  }
  const SimulationConfig config = config_of(4, 64, 4096);
  const auto fixed = run("static_batch", requests, config), dynamic = run("dynamic_batch", requests, config);
  CHECK(fixed.outcomes[0].first_token_s < 0.005);
  CHECK(fixed.outcomes[1].first_token_s > 0.04);     // the batch of one had begun
  CHECK(dynamic.outcomes[0].first_token_s > 0.01);   // it waited for the fourth
  CHECK(dynamic.outcomes[3].first_token_s < 0.005);  // whose arrival filled the batch
  requests.resize(1);
  const auto lonely = run("dynamic_batch", requests, config);
  CHECK(lonely.outcomes[0].first_token_s >= config.limits.window_s);
  CHECK(lonely.outcomes[0].first_token_s < config.limits.window_s + 0.01);
}

TEST_CASE("a long prompt in pieces makes nobody wait") {
  std::vector<SimulatedRequest> requests;
  for (int i = 0; i < 8; ++i) requests.push_back({0.001 * i, 10, 700});
  for (int i = 0; i < 12; ++i) requests.push_back({0.1 + 0.1 * i, 4000, 4});
  // A whole prompt in one step for the one, 128 tokens per step for the other.
  const SimulationResult whole = run("continuous", requests, config_of(16, 4096, 1 << 20));
  const SimulationResult pieces = run("chunked", requests, config_of(16, 128, 1 << 20));
  CHECK(percentile(whole.gaps_s, 1) > 0.08);
  CHECK(percentile(pieces.gaps_s, 1) < 0.02);
  CHECK(percentile(whole.gaps_s, 0.99) > 3 * percentile(pieces.gaps_s, 0.99));
}

TEST_CASE("who is preempted begins again, and nothing is lost") {
  std::vector<SimulatedRequest> requests(12);
  for (SimulatedRequest& r : requests) r.prompt_tokens = 30, r.output_tokens = 60;
  for (const char* rung : {"static_batch", "continuous", "chunked"}) {
    const SimulationResult plenty = run(rung, requests, config_of(12, 256, 4096));
    const SimulationResult little = run(rung, requests, config_of(12, 256, 256));
    INFO(rung);
    CHECK(plenty.preemptions == 0);
    CHECK(little.preemptions > 0);
    CHECK(little.output_tokens == 12 * 60);
    CHECK(little.computed_tokens > plenty.computed_tokens);  // some of it twice
    // The first to come is never the one that is preempted.
    CHECK(little.outcomes[0].preemptions == 0);
  }
}

TEST_CASE("a lone request always ends") {
  for (const RungInfo& rung : ladder().rungs()) {
    if (rung.exercise) continue;
    INFO(rung.name);
    CHECK(run(rung.name, {{0, 100, 28}}, config_of(8, 16, 128)).output_tokens == 28);
  }
}

TEST_CASE("the simulation says what a scheduler that plans nothing leaves undone") {
  struct Moves final : Scheduler {
    explicit Moves(void (*order_)(Step&)) : order(order_) {}
    void schedule(Queues& queues, KvSpace& kv, double now, std::vector<Chunk>& plan) override {
      Step step(config, queues, kv, now, plan);
      order(step);
    }
    void (*order)(Step&);
    SchedulerConfig config{4, 64, 4, 0.01};
  };
  const auto sentence = [](void (*order)(Step&)) {
    Moves moves(order);
    try {
      simulate(moves, nullptr, std::vector<SimulatedRequest>(5, {0, 10, 10}), config_of(4, 64, 4096));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(sentence([](Step& step) { step.plan_decodes(), step.plan_prompts(); }),
             testing::contains("one of 5 waiting requests to be admitted, as none runs"));
  CHECK_THAT(
      sentence([](Step& step) { step.admit(), step.plan_decodes(); }),
      testing::contains("prompt tokens of one of 4 running requests, none of which decodes yet (1 wait)"));
  CHECK_THAT(sentence([](Step& step) { step.admit(), step.plan_prompts(); }),
             testing::contains("a token for one of 4 running requests that decode (0 others run, 1 wait)"));
}

TEST_CASE("the simulation notices a scheduler that breaks a rule") {
  struct Broken final : Scheduler {
    explicit Broken(int kind) : kind(kind) {}
    void schedule(Queues& queues, KvSpace& kv, double now, std::vector<Chunk>& plan) override {
      if (kind == 0) return;  // never does anything
      Registry registry;
      register_rungs(registry);
      registry.ladder<Scheduler>().make("chunked", {4, 64, 4, 0.01})->schedule(queues, kv, now, plan);
      if (plan.empty()) return;
      if (kind == 1) plan.push_back(plan.front());
      if (kind == 2) plan.front().count += 1;
      if (kind == 3) kv.preempt(*plan.front().sequence);
    }
    int kind;
  };
  const std::vector<SimulatedRequest> requests(5, {0, 10, 10});
  const char* const sentences[] = {"no chunk in two steps", "expected:  one chunk\nactual:    2",
                                   "expected:  1 to 10 tokens\nactual:    11", "does not run"};
  for (int kind = 0; kind < 4; ++kind) {
    Broken broken(kind);
    CHECK_THROWS_WITH(simulate(broken, nullptr, requests, config_of(4, 64, 4096)),
                      testing::contains(sentences[kind]));
  }
}
