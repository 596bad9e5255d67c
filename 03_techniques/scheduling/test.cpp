// Every rung on the trials, and what each promises.

#include <algorithm>
#include <numeric>

#include "core/percentile.hpp"
#include "core/rng.hpp"
#include "loop/first_come.hpp"
#include "loop/simulation.hpp"
#include "scheduling.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::scheduling;

namespace {

const Ladder<Policy>& ladder() { return testing::ladder_of<Policy, register_rungs>(); }

SimulationResult run(const std::string& rung, const std::vector<SimulatedRequest>& requests) {
  SimulationConfig config;
  config.limits = {4, 1 << 20, 4, 0.01};
  config.kv_tokens = 1 << 20;
  config.step_s = [](const StepPlan&) { return 1e-3; };
  FirstCome scheduler(config.limits);
  const auto policy = ladder().make(rung, {});
  return simulate(scheduler, policy.get(), requests, config);
}

template <class Pick>
std::vector<double> latencies(const SimulationResult& result, const std::vector<SimulatedRequest>& requests,
                              Pick pick) {
  std::vector<double> values;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (pick(requests[i])) values.push_back(result.outcomes[i].total_s);
  }
  return values;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

const auto everybody = [](const SimulatedRequest&) { return true; };

}  // namespace

TEST_CASE("every rung serves everybody with ranks that are numbers") {
  testing::judge_all(testing::registry_of<register_rungs>(), "policy");
}

TEST_CASE("shortest first learns which prompts have short answers, and lowers the mean latency") {
  Rng rng(5);
  std::vector<SimulatedRequest> requests;
  for (int i = 0; i < 600; ++i) {
    SimulatedRequest r;
    r.arrival_s = 0.008 * i;
    const bool is_long = rng.below(4) == 0;  // and asks with a long prompt
    r.prompt_tokens = is_long ? 300 : 20;
    r.output_tokens = is_long ? 100 : 8;
    requests.push_back(r);
  }
  const double fifo = mean(latencies(run("fifo", requests), requests, everybody));
  const double shortest = mean(latencies(run("shortest_first", requests), requests, everybody));
  INFO(fifo << " " << shortest);
  CHECK(shortest < 0.7 * fifo);
}

TEST_CASE("priority: urgent requests pass, and nobody waits for ever") {
  std::vector<SimulatedRequest> requests;
  for (int i = 0; i < 2000; ++i) requests.push_back({0.0022 * i, 5, 10, 0, i % 2});
  const SimulationResult result = run("priority", requests);
  const auto urgent = latencies(result, requests, [](const auto& r) { return r.priority == 1; });
  const auto other = latencies(result, requests, [](const auto& r) { return r.priority == 0; });
  CHECK(mean(urgent) < 0.1 * mean(other));
  std::vector<SimulatedRequest> flood = {{0.001, 5, 10, 0, 0}};
  for (int i = 0; i < 10000; ++i) flood.push_back({0.001 + 0.0022 * i, 5, 10, 0, 1});
  CHECK(run("priority", flood).outcomes[0].total_s < 11);  // ten seconds are worth the step that it lacks
}

TEST_CASE("fair share bounds a light user's latency while a heavy one floods the server") {
  std::vector<SimulatedRequest> requests;
  for (int i = 0; i < 800; ++i) requests.push_back({0.001 * i, 20, 40, 1});
  for (int i = 0; i < 40; ++i) requests.push_back({0.02 * i, 20, 10, 2});
  std::stable_sort(requests.begin(), requests.end(),
                   [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
  const auto light = [](const SimulatedRequest& r) { return r.user == 2; };
  const double alone_s = 10e-3;
  const double fifo = percentile(latencies(run("fifo", requests), requests, light), 0.99);
  const double fair = percentile(latencies(run("fair_share", requests), requests, light), 0.99);
  INFO(fifo << " " << fair);
  CHECK(fifo > 1);
  CHECK(fair < 10 * alone_s);
}

TEST_CASE("fair share: who was away cannot save up") {
  const auto policy = ladder().make("fair_share", {});
  ScheduledSequence early, late;
  early.user = 1;
  late.user = 2;
  policy->arrived(early);
  for (int i = 0; i < 1000; ++i) policy->computed(early, 1, true);
  policy->arrived(late);
  CHECK(policy->rank(late, 0) == policy->rank(early, 0));
  policy->computed(early, 1, true);
  CHECK(policy->rank(late, 0) < policy->rank(early, 0));
}

TEST_CASE("deadline: who was promised more goes first, unless it is too late for him") {
  const auto policy = ladder().make("deadline", {});
  ScheduledSequence quick, slow;
  quick.ttft_target_s = 0.2;
  slow.ttft_target_s = 2;
  CHECK(policy->rank(quick, 0.1) < policy->rank(slow, 0.1));
  CHECK(policy->rank(quick, 0.3) > policy->rank(slow, 0.3));
  quick.output_tokens = 50;  // its next token is due 50 times 0.1 s later
  CHECK(policy->rank(quick, 0.3) > policy->rank(slow, 0.3));
}

TEST_CASE("longest prefix match: the best known prompt goes first, until a stranger waited long") {
  const auto policy = ladder().make("longest_prefix_match", {});
  CHECK(policy->wants_matches());
  CHECK(!ladder().make("fifo", {})->wants_matches());
  ScheduledSequence known, better, stranger;
  for (ScheduledSequence* s : {&known, &better, &stranger}) s->prompt_tokens = 100;
  known.matched_tokens = 40;
  better.matched_tokens = 80;
  better.arrival_s = 1;
  CHECK(policy->rank(better, 2) < policy->rank(known, 2));
  CHECK(policy->rank(known, 2) < policy->rank(stranger, 2));
  better.prompt_tokens = 1000;  // 80 of 1,000: others save more
  CHECK(policy->rank(known, 2) < policy->rank(better, 2));
  better.prompt_tokens = 100;
  better.arrival_s = 8.5;  // the stranger came 8.5 seconds before it, which is worth 85 tokens of 100
  CHECK(policy->rank(stranger, 9) < policy->rank(better, 9));
  better.state = SequenceState::running;  // it has its blocks
  better.arrival_s = 0;
  CHECK(policy->rank(better, 9) == policy->rank(stranger, 9));
}

TEST_CASE("adaptive: fifo while there is room, short ones first in a rush, and back") {
  const auto load = [](double gap_s) {
    Rng rng(5);
    std::vector<SimulatedRequest> requests;
    for (int i = 0; i < 600; ++i) {
      const bool is_long = rng.below(4) == 0;
      requests.push_back({gap_s * i, is_long ? 300 : 20, is_long ? 100 : 8});
    }
    return requests;
  };
  const auto rush = load(0.004), calm = load(0.02);
  const double fifo = mean(latencies(run("fifo", rush), rush, everybody));
  const double adaptive = mean(latencies(run("adaptive", rush), rush, everybody));
  INFO(fifo << " " << adaptive);
  CHECK(adaptive < 0.8 * fifo);
  const SimulationResult quiet = run("adaptive", calm), same = run("fifo", calm);
  for (std::size_t i = 0; i < calm.size(); ++i) {
    CHECK(quiet.outcomes[i].total_s == same.outcomes[i].total_s);
  }
  const auto policy = ladder().make("adaptive", {});
  std::vector<ScheduledSequence> sequences(4);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    sequences[i].id = static_cast<int>(i);
    sequences[i].arrival_s = static_cast<double>(i);
    sequences[i].prompt_tokens = 10;
    sequences[i].max_tokens = 100 - static_cast<int>(i);  // the later, the shorter
    policy->arrived(sequences[i]);
  }
  CHECK(policy->rank(sequences[3], 4) < policy->rank(sequences[2], 4));    // four wait and nobody is served
  CHECK(policy->rank(sequences[0], 12) < policy->rank(sequences[3], 12));  // it waited ten seconds
  policy->finished(sequences[0]);                                          // cancelled while it waited
  policy->computed(sequences[1], 10, true);
  CHECK(policy->rank(sequences[3], 4) != sequences[3].arrival_s);  // two wait, one is served: still no fifo
  policy->computed(sequences[2], 10, true);
  CHECK(policy->rank(sequences[2], 4) < policy->rank(sequences[3], 4));
}

TEST_CASE("times and costs that cannot be are refused") {
  PolicyConfig config;
  config.aging_s = 0;
  CHECK_THROWS_AS(ladder().make("priority", config), UsageError);
  config.aging_s = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(ladder().make("fifo", config), UsageError);
}
