// Samples of one prompt and forks of a text: each text is the one that its request gets alone, whether blocks
// are shared, copied or computed again, and shared blocks are counted once.

#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 48, kSamples = 4, kPrompt = 22;

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("forks_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

EngineConfig config_with(const std::string& kv, int sequences) {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.max_sequences = sequences;
  config.max_step_tokens = 16;
  config.kv_block_size = 4;
  config.rungs = {{"kv", kv}, {"prefix_cache", "none"}};
  return config;
}

Request request(int n, std::uint64_t seed = 40) {
  Request r;
  Rng rng(5);
  for (int i = 0; i < kPrompt; ++i) r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
  r.max_tokens = 16;
  r.n = n;
  r.sampling.temperature = 1;
  r.sampling.seed = seed;
  r.ignore_end = true;
  return r;
}

Result alone(std::uint64_t seed) {
  Engine engine(model(), variants(), config_with("contiguous", 1));
  return engine.run(request(1, seed));
}

void run_to_the_end(Engine& engine) {
  while (engine.step()) engine.check_integrity();
  engine.check_integrity();
}

}  // namespace

TEST_CASE("every sample is the text that the request gets alone with its seed") {
  std::vector<Result> expected;
  for (std::uint64_t i = 0; i < kSamples; ++i) expected.push_back(alone(40 + i));
  CHECK(expected[0].token_ids != expected[1].token_ids);
  for (const char* kv : {"contiguous", "paged", "copy_on_write"}) {
    for (const int sequences : {1, 2, kSamples}) {  // all at once, or some later
      Engine engine(model(), variants(), config_with(kv, sequences));
      Request r = request(kSamples);
      Ids heard;
      r.on_delta = [&](const Delta& delta) {
        heard.insert(heard.end(), delta.token_ids.begin(), delta.token_ids.end());
      };
      const int first = engine.submit(std::move(r));
      run_to_the_end(engine);
      INFO(kv << ", " << sequences << " sequences");
      for (int i = 0; i < kSamples; ++i) {
        const Result result = engine.take(first + i);
        CHECK(result.token_ids == expected[static_cast<std::size_t>(i)].token_ids);
        CHECK(result.text == expected[static_cast<std::size_t>(i)].text);
      }
      CHECK(heard == expected[0].token_ids);  // listeners hear the first sample
      const EngineStats stats = engine.stats();
      CHECK(stats.forks == kSamples - 1);
      CHECK(stats.finished == kSamples);
      if (sequences == kSamples) CHECK(stats.forked_tokens == (kSamples - 1) * kPrompt);
      CHECK(engine.kv_use().taken == 0);
    }
  }
}

TEST_CASE("samples share the blocks of their prompt, and copy the last one when they write into it") {
  Engine engine(model(), variants(), config_with("copy_on_write", kSamples));
  engine.submit(request(kSamples));
  std::int64_t most_live = 0;
  for (int steps = 0; engine.step(); ++steps) {
    engine.check_integrity();
    if (steps < 8) most_live = std::max(most_live, engine.kv_use().live);
  }
  // A prompt of 22 tokens in blocks of 4: 20 shared, and for each sample 2 of its own and what it generated.
  CHECK(most_live <= 20 + kSamples * (2 + 8));
  CHECK(most_live >= 20 + kSamples * 2);
  CHECK(engine.stats().computed_tokens == kPrompt + kSamples * 15);  // the last token of each is not computed
}

// Whoever ends at the first token leaves the engine while the others are still being released.
TEST_CASE("samples that end at their first token, all of them or any one of them") {
  for (const int n : {2, 4, 16}) {
    std::vector<std::int32_t> first_tokens;
    for (int i = 0; i < n; ++i)
      first_tokens.push_back(alone(40 + static_cast<std::uint64_t>(i)).token_ids[0]);
    for (int ends = -1; ends < n; ++ends) {  // -1: all
      Engine engine(model(), variants(), config_with("copy_on_write", 2));
      Request r = request(n);
      r.max_tokens = 6;
      r.stop_ids = first_tokens;
      if (ends >= 0) r.stop_ids = {first_tokens[static_cast<std::size_t>(ends)]};
      const std::vector<Result> results = engine.run_samples(r);
      REQUIRE(results.size() == static_cast<std::size_t>(n));
      for (std::size_t i = 0; i < results.size(); ++i) {
        INFO(n << " samples, " << ends << " ends, sample " << i);
        const Ids& ids = results[i].token_ids;
        CHECK(ids[0] == first_tokens[i]);
        const bool stops = std::count(r.stop_ids.begin(), r.stop_ids.end(), first_tokens[i]) > 0;
        CHECK((ids.size() == 1) == stops);
      }
      engine.check_integrity();
      CHECK(engine.kv_use().taken == 0);
    }
  }
}

TEST_CASE("a listener may cancel its own request and any other, and submit more") {
  for (const char* kv : {"contiguous", "copy_on_write"}) {
    Engine engine(model(), variants(), config_with(kv, 3));
    int first = -1, more = -1;
    Request r = request(3);
    int heard = 0;
    r.on_delta = [&](const Delta& delta) {
      if (delta.token_ids.empty()) return;
      if (++heard == 1) {  // while the other samples are released
        engine.cancel(first + 1);
        more = engine.submit(request(1, 90));
        CHECK_THROWS_WITH(engine.fork(first, 5), testing::contains("cannot be forked by a listener"));
      } else if (heard == 4) {
        engine.cancel(first);
        engine.cancel(first);
      }
    };
    first = engine.submit(std::move(r));
    run_to_the_end(engine);
    INFO(kv);
    const Result own = engine.take(first);
    CHECK(own.finish_reason == FinishReason::cancelled);
    CHECK(own.token_ids.size() == 4);
    CHECK(engine.take(first + 1).finish_reason == FinishReason::cancelled);
    CHECK(engine.take(first + 2).token_ids == alone(42).token_ids);
    CHECK(engine.take(more).token_ids == alone(90).token_ids);
    CHECK(engine.stats().finished == 4);
    CHECK(engine.kv_use().taken == 0);
  }
}

TEST_CASE("samples of one token, of a cancelled leader, and of a full queue") {
  Engine engine(model(), variants(), config_with("copy_on_write", 2));
  Request one = request(3);
  one.max_tokens = 1;
  const std::vector<Result> results = engine.run_samples(one);
  REQUIRE(results.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(results[i].token_ids[0] == alone(40 + i).token_ids[0]);

  const int first = engine.submit(request(3));
  engine.step();  // a part of the prompt
  engine.cancel(first);
  engine.check_integrity();
  engine.cancel(first + 2);  // one that was held back
  run_to_the_end(engine);
  CHECK(engine.take(first).finish_reason == FinishReason::cancelled);
  CHECK(engine.take(first + 1).token_ids == alone(41).token_ids);
  CHECK(engine.take(first + 2).token_ids.empty());

  EngineConfig narrow = config_with("copy_on_write", 2);
  narrow.max_waiting = 3;
  Engine queue(model(), variants(), narrow);
  CHECK_THROWS_AS(queue.submit(request(4)), QueueFull);
  queue.submit(request(3));
  CHECK_THROWS_AS(queue.submit(request(1)), QueueFull);
  run_to_the_end(queue);
  Request none = request(0);
  CHECK_THROWS_WITH(queue.submit(none), testing::contains("number of samples is 0"));
}

TEST_CASE("a fork goes on from the text so far with draws of its own") {
  const Result expected = alone(40);
  Ids forked_alone;  // what a fork after five tokens says where nothing can be shared
  for (const char* kv : {"contiguous", "paged", "copy_on_write"}) {
    for (const int sequences : {1, 3}) {
      Engine engine(model(), variants(), config_with(kv, sequences));
      const int id = engine.submit(request(1));
      const int early = engine.fork(id, 40);  // before it began
      int same = -1, other = -1;
      Ids heard;
      const int begin = static_cast<int>(engine.stats().output_tokens);
      while (engine.step()) {
        engine.check_integrity();
        if (same < 0 && engine.stats().output_tokens - begin >= 9) {
          same = engine.fork(id, 40);
          other = engine.fork(id, 77, [&](const Delta& delta) {
            heard.insert(heard.end(), delta.token_ids.begin(), delta.token_ids.end());
          });
        }
      }
      INFO(kv << ", " << sequences << " sequences");
      CHECK(engine.take(id).token_ids == expected.token_ids);
      CHECK(engine.take(early).token_ids == expected.token_ids);
      CHECK(engine.take(same).token_ids == expected.token_ids);  // the same draws: the same text
      const Ids text = engine.take(other).token_ids;
      CHECK(text.size() == expected.token_ids.size());
      CHECK(text != expected.token_ids);
      const std::size_t common = text.size() - heard.size();
      CHECK(common >= 4);
      CHECK(std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(common),
                       expected.token_ids.begin()));
      CHECK(std::equal(heard.begin(), heard.end(), text.end() - static_cast<std::ptrdiff_t>(heard.size())));
      if (sequences == 3) {
        if (forked_alone.empty()) forked_alone = text;
        CHECK(text == forked_alone);
      }
      CHECK(engine.kv_use().taken == 0);
      CHECK_THROWS_WITH(engine.fork(id, 1), testing::contains("there is no request"));
    }
  }
  Engine engine(model(), variants(), config_with("paged", 1));
  const int id = engine.submit(request(1));
  run_to_the_end(engine);
  CHECK_THROWS_WITH(engine.fork(id, 1), testing::contains("has ended"));
}
