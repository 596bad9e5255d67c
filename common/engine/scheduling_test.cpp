// Many requests, little memory: whatever the scheduler, the policy, the cache and the way to preempt, every
// text is the one that the request gets alone, and no block is lost.

#include <algorithm>
#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 48, kRequests = 40;

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("scheduling_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 2);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

std::vector<Request> make_requests() {
  Rng rng(20260410);
  std::vector<Request> requests(kRequests);
  for (Request& r : requests) {
    const auto prompt = 1 + rng.below(30);
    for (std::uint64_t i = 0; i < prompt; ++i) {
      r.prompt.push_back(
          static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model()->config.vocab_size))));
    }
    r.max_tokens = 1 + static_cast<int>(rng.below(18));
    r.sampling.temperature = rng.below(2) == 0 ? 0.0f : 0.9f;
    r.sampling.seed = rng.next();
    r.ignore_end = true;
    r.user = static_cast<int>(rng.below(3));
    r.priority = static_cast<int>(rng.below(3));
  }
  return requests;
}

EngineConfig small_config() {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  return config;
}

/// What each request gets when nobody else is there.
const std::vector<Ids>& alone() {
  static const std::vector<Ids> answers = [] {
    std::vector<Ids> list;
    Engine engine(model(), variants(), small_config());
    for (const Request& r : make_requests()) list.push_back(engine.run(r).token_ids);
    return list;
  }();
  return answers;
}

struct Way {
  std::string scheduler, policy, kv;
  int block_size = 4;
  std::size_t swap_bytes = 0;
};

/// Serves all requests together in memory for two of the longest, cancels some on the way.
EngineStats serve(const Way& way) {
  EngineConfig config = small_config();
  config.max_sequences = 8;
  config.max_step_tokens = 24;
  config.kv_block_size = way.block_size;
  config.swap_bytes = way.swap_bytes;
  if (way.swap_bytes > 0) config.preempt = PreemptMode::swap;  // whatever it costs on this machine
  config.batch_window_s = 0.002;
  config.rungs = {{"scheduler", way.scheduler}, {"policy", way.policy}, {"kv", way.kv}};
  const std::size_t token =
      2u *
      static_cast<std::size_t>(model()->config.layers * model()->config.kv_heads * model()->config.head_dim) *
      sizeof(std::uint16_t);
  config.kv_budget = 2 * kContext * token;
  Engine engine(model(), variants(), config);
  const std::vector<Request> requests = make_requests();
  std::vector<int> ids;
  Rng rng(11);
  std::vector<bool> cancelled(requests.size(), false);
  for (bool more = true; more || ids.size() < requests.size();) {
    for (std::uint64_t i = rng.below(4); i > 0 && ids.size() < requests.size(); --i) {
      ids.push_back(engine.submit(requests[ids.size()]));
    }
    more = engine.step();
    engine.check_integrity();
    if (rng.below(12) == 0 && !ids.empty()) {
      const auto victim = rng.below(ids.size());
      if (!engine.finished(ids[victim])) {
        engine.cancel(ids[victim]);
        cancelled[victim] = true;
        engine.check_integrity();
      }
    }
  }
  int compared = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const Result result = engine.take(ids[i]);
    INFO("request " << i << ", " << result.preemptions << " times preempted");
    const Ids& expected = alone()[i];
    REQUIRE(result.token_ids.size() <= expected.size());
    if (!cancelled[i]) CHECK(result.token_ids.size() == expected.size());
    CHECK(std::equal(result.token_ids.begin(), result.token_ids.end(), expected.begin()));
    compared += result.token_ids.empty() ? 0 : 1;
  }
  CHECK(compared > kRequests / 2);
  engine.forget_prefixes();
  CHECK(engine.kv_use().taken == 0);
  return engine.stats();
}

}  // namespace

TEST_CASE("every scheduler and policy gives every request the text that it gets alone") {
  for (const RungInfo& scheduler : variants().ladder<Scheduler>().rungs()) {
    for (const RungInfo& policy : variants().ladder<Policy>().rungs()) {
      if (scheduler.exercise || policy.exercise) continue;
      INFO(scheduler.name << ", " << policy.name);
      serve({scheduler.name, policy.name, "copy_on_write"});
    }
  }
}

TEST_CASE("every cache and block size, recomputed or swapped, gives the same text") {
  for (const char* kv : {"contiguous", "paged", "copy_on_write"}) {
    for (const int block_size : {1, 16}) {
      for (const std::size_t swap_bytes : {std::size_t{0}, std::size_t{1} << 13, std::size_t{1} << 30}) {
        INFO(kv << ", blocks of " << block_size << ", " << swap_bytes << " bytes to swap");
        const EngineStats stats = serve({"chunked", "fifo", kv, block_size, swap_bytes});
        CHECK(stats.cached_tokens == 0);  // no two prompts begin alike
        if (std::string_view(kv) == "contiguous") {
          CHECK(stats.preemptions == 0);  // it admits only whom it holds to the end
          continue;
        }
        CHECK(stats.preemptions > 0);
        CHECK((stats.recomputed_tokens > 0) == (swap_bytes < (std::size_t{1} << 30)));
        CHECK((stats.swaps > 0) == (swap_bytes > 0));
      }
    }
  }
}

// The block in which two texts part has two owners, and the copy of it needs a block more than the sequence
// does.
TEST_CASE("a sequence that fits alone also fits when the cache is full of what it begins with") {
  Rng rng(6);
  Request first, second;
  for (int i = 0; i < 40; ++i) first.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
  first.ignore_end = second.ignore_end = true;
  first.max_tokens = 8;
  for (const int blocks_more : {0, 1}) {
    for (const int block_size : {4, 16}) {
      EngineConfig config = small_config();
      config.max_sequences = 1;
      config.kv_block_size = block_size;
      const ModelConfig& m = model()->config;
      config.kv_budget = static_cast<std::size_t>((kContext + blocks_more * block_size) * 2 * m.layers *
                                                  m.kv_heads * m.head_dim) *
                         sizeof(std::uint16_t);
      for (int common = 1; common < 40; ++common) {
        for (const int prompt : {common + 1, 46}) {
          INFO(common << " common tokens of " << prompt << ", blocks of " << block_size);
          second.prompt = first.prompt;
          second.prompt.resize(static_cast<std::size_t>(common));
          while (static_cast<int>(second.prompt.size()) < prompt)
            second.prompt.push_back((first.prompt[second.prompt.size() % 40] + 1) % 300);
          second.max_tokens = 48 - prompt;
          config.rungs["prefix_cache"] = "none";
          Engine alone(model(), variants(), config);
          config.rungs["prefix_cache"] = "radix";
          Engine engine(model(), variants(), config);
          engine.run(first);
          CHECK(engine.run(second).token_ids == alone.run(second).token_ids);
          engine.check_integrity();
        }
      }
    }
  }
}

TEST_CASE("an engine that cannot go on says so, with the state of every request") {
  struct Nothing final : Scheduler {
    void schedule(Queues&, KvSpace&, double, std::vector<Chunk>&) override {}
  };
  Registry registry = make_variants();
  registry.ladder<Scheduler>().add(
      {{"nothing", "", "", false}, [](const SchedulerConfig&) { return std::make_unique<Nothing>(); }, {}});
  EngineConfig config = small_config();
  config.rungs["scheduler"] = "nothing";
  Engine engine(model(), registry, config);
  Request r = make_requests()[0];
  r.n = 2;
  engine.submit(r);
  const std::string state =
      fmt::format("request 0 is waiting with 0 of {} tokens computed; request 1 is held", r.prompt.size());
  CHECK_THROWS_WITH(
      [&] {
        while (engine.step()) {
        }
      }(),
      testing::contains("scheduler 'nothing'") && testing::contains(state));
}

// What is computed, but for what is computed again, is every token that was not found in the cache, except
// the last one of each request.
TEST_CASE("recomputed tokens are counted when they are computed") {
  std::vector<Request> requests = make_requests();
  for (std::size_t i = 0; i < requests.size(); i += 2) {  // half of them begin alike
    for (std::size_t p = 0; p < std::min<std::size_t>(requests[i].prompt.size() - 1, 15); ++p)
      requests[i].prompt[p] = requests[0].prompt[p % requests[0].prompt.size()];
  }
  for (const char* prefix_cache : {"none", "hash_chain", "radix"}) {
    for (const std::size_t swap_bytes : {std::size_t{0}, std::size_t{1} << 30}) {
      EngineConfig config = small_config();
      config.max_sequences = 8;
      config.max_step_tokens = 24;
      config.kv_block_size = 4;
      config.swap_bytes = swap_bytes;
      const ModelConfig& m = model()->config;
      config.kv_budget =
          static_cast<std::size_t>(kContext * 4 * m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
      config.rungs = {{"kv", "copy_on_write"}, {"prefix_cache", prefix_cache}};
      Engine engine(model(), variants(), config);
      std::int64_t tokens = 0;
      for (const Request& r : requests) engine.submit(r);
      while (engine.step()) {
      }
      for (std::size_t i = 0; i < requests.size(); ++i) {
        const Result result = engine.take(static_cast<int>(i));
        tokens += result.prompt_tokens + static_cast<std::int64_t>(result.token_ids.size()) - 1;
      }
      const EngineStats stats = engine.stats();
      INFO(prefix_cache << ", " << swap_bytes << " bytes to swap");
      CHECK(stats.preemptions > 0);
      CHECK(stats.computed_tokens + stats.cached_tokens == tokens + stats.recomputed_tokens);
      if (swap_bytes == 0 && std::string_view(prefix_cache) == "none") CHECK(stats.recomputed_tokens > 0);
    }
  }
}

TEST_CASE("a request that begins like an earlier one computes the rest only, with the same bits") {
  const Request first = make_requests()[0];
  Request longer = first;
  longer.sampling.temperature = 0;
  longer.sampling.logprobs = 3;
  Rng rng(3);
  while (longer.prompt.size() < 40) longer.prompt.push_back(static_cast<std::int32_t>(rng.below(100)));
  Request other = longer;  // leaves it in the middle of a block
  other.prompt[18] = (other.prompt[18] + 1) % 100;
  Request stranger = longer;
  stranger.cache_salt = 7;
  longer.max_tokens = other.max_tokens = stranger.max_tokens = 6;
  const auto logprobs = [](const Result& r) {
    std::vector<float> all;
    for (const SampledToken& t : r.samples) all.push_back(t.logprob);
    return all;
  };
  std::vector<Result> expected;
  for (const Request* r : {&longer, &other, &stranger}) {
    EngineConfig config = small_config();
    config.rungs["prefix_cache"] = "none";
    Engine engine(model(), variants(), config);
    expected.push_back(engine.run(*r));
    CHECK(expected.back().cached_tokens == 0);
  }
  for (const auto& [rung, partly] : {std::pair{"hash_chain", 16}, {"radix", 18}}) {
    EngineConfig config = small_config();
    config.max_sequences = 2;
    config.kv_block_size = 8;
    config.rungs["prefix_cache"] = rung;
    Engine engine(model(), variants(), config);
    engine.run(longer);
    const Result hit = engine.run(longer), part = engine.run(other), salted = engine.run(stranger);
    INFO(rung);
    CHECK(hit.cached_tokens == (std::string_view(rung) == "radix" ? 39 : 32));  // one token must be computed
    CHECK(part.cached_tokens == partly);
    CHECK(salted.cached_tokens == 0);
    const Result* const results[] = {&hit, &part, &salted};
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(results[i]->token_ids == expected[i].token_ids);
      CHECK(logprobs(*results[i]) == logprobs(expected[i]));
    }
    CHECK(engine.stats().cached_tokens == hit.cached_tokens + part.cached_tokens);
    engine.check_integrity();
    engine.forget_prefixes();
    CHECK(engine.kv_use().taken == 0);
  }
  EngineConfig config = small_config();
  config.rungs = {{"prefix_cache", "radix"}, {"kv", "contiguous"}};
  CHECK_THROWS_WITH(Engine(model(), variants(), config), testing::contains("--kv copy_on_write"));
}

TEST_CASE("the longest match first finds more in a cache that holds one family of prompts at a time") {
  const auto cached_tokens = [](const char* policy) {
    EngineConfig config = small_config();
    config.kv_block_size = 4;
    const ModelConfig& m = model()->config;
    config.kv_budget =
        kContext * 2u * static_cast<std::size_t>(m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
    config.rungs = {{"policy", policy}, {"prefix_cache", "radix"}};
    Engine engine(model(), variants(), config);
    for (int i = 0; i < 18; ++i) {
      Request r;
      Rng family(static_cast<std::uint64_t>(i % 3)), own(static_cast<std::uint64_t>(100 + i));
      for (int t = 0; t < 24; ++t) r.prompt.push_back(static_cast<std::int32_t>(family.below(300)));
      for (int t = 0; t < 4; ++t) r.prompt.push_back(static_cast<std::int32_t>(own.below(300)));
      r.max_tokens = 2;
      r.ignore_end = true;
      engine.submit(std::move(r));
    }
    while (engine.step()) engine.check_integrity();
    return engine.stats().cached_tokens;
  };
  const std::int64_t fifo = cached_tokens("fifo"), longest = cached_tokens("longest_prefix_match");
  INFO(fifo << " tokens found by fifo, " << longest << " by longest_prefix_match");
  CHECK(longest >= 3 * 5 * 24);  // all but the first of each family
  CHECK(fifo < longest / 2);
}

TEST_CASE("a cache that cannot hold one whole sequence is refused") {
  EngineConfig config = small_config();
  config.kv_budget = 100;
  CHECK_THROWS_WITH(Engine(model(), variants(), config), testing::contains("could never end"));
}

TEST_CASE("logits of several jobs share what memory there is") {
  EngineConfig config = small_config();
  config.max_sequences = 4;
  config.kv_block_size = 4;
  const std::size_t token =
      2u *
      static_cast<std::size_t>(model()->config.layers * model()->config.kv_heads * model()->config.head_dim) *
      sizeof(std::uint16_t);
  config.kv_budget = kContext * token;
  Engine engine(model(), variants(), config);
  const std::vector<Request> requests = make_requests();
  std::vector<LogitsJob> jobs;
  std::size_t expected = 0;
  for (int i = 0; i < 6; ++i) {
    jobs.push_back({requests[static_cast<std::size_t>(i)].prompt});
    expected += requests[static_cast<std::size_t>(i)].prompt.size();
  }
  std::size_t rows = 0;
  engine.logits(jobs, [&](std::size_t, int, const Tensor& t) { rows += static_cast<std::size_t>(t.rows); });
  CHECK(rows == expected);
  CHECK(engine.kv_use().taken == 0);
}
