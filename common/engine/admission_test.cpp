// Who is let in, who is refused, and what becomes of those who lose their place.

#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "loop/preemption_cost.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 48;

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("admission_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

std::size_t token_bytes() {
  const ModelConfig& m = model()->config;
  return 2u * static_cast<std::size_t>(m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
}

/// Eight sequences at a time in memory for `sequences` of the longest.
EngineConfig config_for(int sequences) {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.max_sequences = 8;
  config.max_step_tokens = 32;
  config.kv_block_size = 4;
  config.kv_budget = static_cast<std::size_t>(sequences * kContext) * token_bytes();
  config.rungs = {{"prefix_cache", "none"}};
  return config;
}

Request request(int number) {
  Request r;
  Rng rng(static_cast<std::uint64_t>(number));
  for (int i = 0; i < 8; ++i) r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
  r.max_tokens = 32;
  r.sampling.temperature = 0;
  r.ignore_end = true;
  return r;
}

struct Served {
  std::vector<Ids> texts;
  EngineStats stats;
  int preempted_by_swap = 0;
};

Served serve(EngineConfig config, int requests = 24) {
  config.event_log = 1 << 16;
  Engine engine(model(), variants(), config);
  std::vector<int> ids;
  for (int i = 0; i < requests; ++i) ids.push_back(engine.submit(request(i)));
  while (engine.step()) engine.check_integrity();
  Served served;
  for (const int id : ids) served.texts.push_back(engine.take(id).token_ids);
  served.stats = engine.stats();
  for (const Event& e : engine.events().events()) {
    served.preempted_by_swap +=
        e.kind == EventKind::preempted && is_swap(static_cast<PreemptReason>(e.reason));
  }
  CHECK(engine.kv_use().taken == 0);
  return served;
}

}  // namespace

TEST_CASE("a full queue refuses with a sentence, and nothing else changes") {
  EngineConfig config = config_for(8);
  config.max_sequences = 1;
  config.max_waiting = 2;
  Engine engine(model(), variants(), config);
  const int first = engine.submit(request(0)), second = engine.submit(request(1));
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(engine.submit(request(2)), QueueFull);
    CHECK_THROWS_WITH(engine.submit(request(2)), testing::contains("2 requests wait"));
    CHECK_THROWS_WITH(engine.submit(request(2)), testing::contains("--max-waiting"));
  }
  CHECK(engine.stats().refused == 9);
  engine.step();  // the first one runs now, so there is room
  const int third = engine.submit(request(2));
  CHECK_THROWS_AS(engine.submit(request(3)), QueueFull);
  while (engine.step()) {
  }
  CHECK(third == second + 1);  // a refused request gets no number
  for (const int id : {first, second, third}) {
    Engine alone(model(), variants(), config_for(1));
    CHECK(engine.take(id).token_ids == alone.run(request(id)).token_ids);
  }
  CHECK(engine.stats().finished == 3);
}

TEST_CASE("a preemption storm is counted and told once, with the remedy") {
  std::vector<std::string> told;
  EngineConfig config = config_for(1);
  config.notice = [&](const std::string& sentence) { told.push_back(sentence); };
  const EngineStats storm = serve(config, 40).stats;
  CHECK(storm.storms > 1);
  REQUIRE(told.size() == 1);
  CHECK_THAT(told[0], testing::contains("preemption storm"));
  CHECK_THAT(told[0], testing::contains("--kv-budget"));
  CHECK_THAT(told[0], testing::contains("fewer than 8 sequences"));
  told.clear();
  config.kv_budget = config_for(8).kv_budget;
  CHECK(serve(config, 40).stats.storms == 0);
  CHECK(told.empty());
}

TEST_CASE("a storm is judged by windows of steps") {
  StormWatch watch;
  CHECK(!watch.after_step({63, 1000, 900, 100, 0}));  // too early to tell
  CHECK(watch.after_step({64, 1000, 900, 100, 0}));
  CHECK(watch.recomputed_share() == Approx(0.9));
  CHECK(!watch.after_step({128, 2000, 900, 100, 5}));    // the next window is quiet
  CHECK(!watch.after_step({192, 3000, 1100, 120, 15}));  // 2 per request, 20 %: just bearable
  CHECK(watch.after_step({256, 4000, 1100, 141, 25}));   // 21 of 10 requests, all of them swapped
  CHECK(!watch.after_step({320, 4100, 1101, 149, 25}));  // eight among texts that go on: may be chance
}

TEST_CASE("swap or recompute: the choice flips where the costs meet") {
  constexpr std::size_t kRoom = 1 << 30;
  const auto choose = [&](PreemptionCost cost, std::size_t bytes, int tokens) {
    return cost.choose(bytes, tokens, kRoom, kRoom);
  };
  // 1 MB/s and 1,000 tokens per second: two copies of 500 bytes cost as much as one token.
  const PreemptionCost given(PreemptMode::automatic, 1e6, 1e3);
  CHECK(given.swap_s(500) == Approx(given.recompute_s(1)));
  CHECK(choose(given, 499 * 10, 10) == PreemptReason::swap_cheaper);
  CHECK(choose(given, 501 * 10, 10) == PreemptReason::recompute_cheaper);
  CHECK(choose(PreemptionCost(PreemptMode::swap, 1e6, 1e3), 501, 1) == PreemptReason::swap_asked);
  CHECK(choose(PreemptionCost(PreemptMode::recompute, 1e6, 1e3), 1, 1) == PreemptReason::recompute_asked);
  PreemptionCost cost = given;
  CHECK(cost.choose(100, 1, 99, kRoom) == PreemptReason::recompute_swap_full);
  CHECK(cost.choose(100, 1, 0, 0) == PreemptReason::recompute_no_swap);
  CHECK(cost.choose(0, 0, kRoom, kRoom) == PreemptReason::recompute_cheaper);
}

TEST_CASE("swap or recompute: the rates are learned, and learned again") {
  constexpr std::size_t kRoom = 1 << 30;
  PreemptionCost cost(PreemptMode::automatic, 0, 0);
  cost.computed(4, 0.4, false);  // decode: ten tokens per second
  CHECK(cost.recompute_s(1) == Approx(0.1));
  cost.computed(100, 0.1, true);  // a prompt: a thousand
  cost.computed(4, 0.4, false);
  CHECK(cost.recompute_s(1) == Approx(0.001));
  CHECK(cost.choose(1000, 1, kRoom, kRoom) == PreemptReason::swap_unmeasured);
  cost.copied(1000, 0.01);  // 100 kB/s: 20 ms both ways, against 1 ms
  CHECK(cost.choose(1000, 1, kRoom, kRoom) == PreemptReason::recompute_cheaper);
  int declined = 1;
  while (cost.choose(1000, 1, kRoom, kRoom) == PreemptReason::recompute_cheaper) ++declined;
  CHECK(declined == 64);
  for (int i = 0; i < 100; ++i) cost.copied(1000, 1e-6);  // it had been the memory that was new
  CHECK(cost.choose(1000, 1, kRoom, kRoom) == PreemptReason::swap_cheaper);
}

TEST_CASE("swapped, recomputed or what is cheaper: the texts are the same") {
  EngineConfig config = config_for(2);
  const Served recomputed = serve(config);
  CHECK(recomputed.stats.preemptions > 0);
  CHECK(recomputed.preempted_by_swap == 0);
  config.swap_bytes = std::size_t{1} << 30;
  for (const PreemptMode mode : {PreemptMode::automatic, PreemptMode::swap, PreemptMode::recompute}) {
    config.preempt = mode;
    const Served served = serve(config);
    CHECK(served.texts == recomputed.texts);
    if (mode == PreemptMode::automatic) continue;
    CHECK((served.preempted_by_swap > 0) == (mode == PreemptMode::swap));
    CHECK((served.stats.recomputed_tokens > 0) == (mode == PreemptMode::recompute));
  }
  // On a machine whose copies cost less than its tokens, and on one where they cost more.
  config.preempt = PreemptMode::automatic;
  config.recompute_tokens_per_s = 1000;
  for (const double factor : {0.5, 2.0}) {
    config.copy_bytes_per_s = factor * 2 * 1000 * static_cast<double>(token_bytes());
    const Served served = serve(config);
    CHECK(served.texts == recomputed.texts);
    CHECK((served.stats.swaps > 0) == (factor > 1));
    CHECK((served.stats.recomputed_tokens > 0) == (factor < 1));
  }
}

TEST_CASE("ways to preempt that cannot be are refused") {
  CHECK_THROWS_WITH(preempt_mode("never"), testing::contains("auto, swap, recompute"));
  EngineConfig config = config_for(1);
  config.preempt = PreemptMode::swap;
  CHECK_THROWS_WITH(Engine(model(), variants(), config), testing::contains("--swap"));
  config.preempt = PreemptMode::automatic;
  config.max_waiting = -1;
  CHECK_THROWS_AS(Engine(model(), variants(), config), UsageError);
}
