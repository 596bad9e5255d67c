// Speculation end to end: guesses change when tokens come, never which.

#include <algorithm>
#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "engine/engine.hpp"
#include "loop/forced_text.hpp"
#include "loop/replay_speculator.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("drafts_test.gguf");
    synth(path, "test-tiny", DType::f32, 3, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

EngineConfig config() {
  EngineConfig c;
  c.context = 96;
  c.threads = 1;
  c.max_sequences = 4;
  return c;
}

Request request(std::uint64_t seed, float temperature = 0.9f) {
  Request r;
  r.prompt = {1, 17, 40, static_cast<std::int32_t>(5 + seed)};
  r.max_tokens = 40;
  r.sampling.temperature = temperature;
  r.sampling.seed = seed;
  r.ignore_end = true;
  return r;
}

Ids alone(const Request& r) {
  Engine engine(model(), variants(), config());
  return engine.run(r).token_ids;
}

/// Guesses an answer of which some tokens are wrong, and remembers what became of the guesses.
class Watched final : public Speculator {
 public:
  Watched(Ids answer, int most, int wrong_every) : replay_(answer, most), wrong_every_(wrong_every) {}

  int most() const override { return replay_.most(); }
  int wants(const DraftText& text) override { return replay_.wants(text); }
  void propose(std::span<DraftJob> jobs) override {
    replay_.propose(jobs);
    for (DraftJob& job : jobs) {
      for (std::size_t i = 0; i < job.guesses.size(); ++i) {
        const std::size_t at = job.text.generated.size() + i;
        if (wrong_every_ > 0 && at % static_cast<std::size_t>(wrong_every_) == 0)
          job.guesses[i] = (job.guesses[i] + 1) % 300;
      }
    }
  }
  void observe(const DraftJob& job, int right) override {
    REQUIRE(job.text.generated.size() > static_cast<std::size_t>(right));
    for (int i = 0; i < right;
         ++i) {  // the text ends with the right guesses and one token more, unless it ended
      const auto guess = job.guesses[static_cast<std::size_t>(i)];
      CHECK(std::count(job.text.generated.begin(), job.text.generated.end(), guess) > 0);
    }
    guessed += static_cast<int>(job.guesses.size());
    accepted += right;
  }
  void finished(int id) override { ended.push_back(id); }

  int guessed = 0, accepted = 0;
  std::vector<int> ended;

 private:
  ReplaySpeculator replay_;
  int wrong_every_;
};

}  // namespace

TEST_CASE("right guesses make the same text come in fewer steps") {
  for (const float temperature : {0.0f, 0.9f}) {
    const Request r = request(1, temperature);
    const Ids expected = alone(r);
    REQUIRE(expected.size() == 40);
    for (const char* kv : {"contiguous", "paged", "copy_on_write"}) {
      for (const char* attention : {"naive", "flash", "split_kv"}) {
        INFO(kv << ", " << attention << ", temperature " << temperature);
        const auto watched = std::make_shared<Watched>(expected, 4, 0);
        EngineConfig c = config();
        c.rungs["kv"] = kv;
        c.rungs["attention"] = attention;
        c.speculator = watched;
        Engine engine(model(), variants(), c);
        Request heard = r;
        Ids streamed;
        heard.on_delta = [&](const Delta& delta) {
          CHECK(delta.token_ids.size() <= 1);  // a token at a time, however many a step brings
          streamed.insert(streamed.end(), delta.token_ids.begin(), delta.token_ids.end());
        };
        const Result result = engine.run(heard);
        CHECK(result.token_ids == expected);
        CHECK(streamed == expected);
        // The prompt brings 1 token, each step behind it 5.
        CHECK(engine.stats().steps == 1 + (39 + 4) / 5);
        CHECK(engine.stats().accepted_tokens == watched->accepted);
        CHECK(engine.stats().guessed_tokens == watched->guessed);
        CHECK(watched->accepted == watched->guessed);
        CHECK(watched->ended == std::vector<int>{0});
        CHECK(engine.kv_use().taken == engine.kv_use().kept);
        engine.check_integrity();
      }
    }
  }
}

TEST_CASE("wrong guesses cost room and change nothing") {
  const Request r = request(2);
  const Ids expected = alone(r);
  for (const int wrong_every : {1, 2, 3, 7}) {
    INFO("every guess number " << wrong_every << " is wrong");
    const auto watched = std::make_shared<Watched>(expected, 5, wrong_every);
    EngineConfig c = config();
    c.speculator = watched;
    Engine engine(model(), variants(), c);
    CHECK(engine.run(r).token_ids == expected);
    CHECK(watched->accepted < watched->guessed);
    if (wrong_every == 1) CHECK(watched->accepted == 0);
    if (wrong_every > 2) CHECK(engine.stats().steps < 40);
    engine.check_integrity();
  }
}

TEST_CASE("requests beside each other, preempted and with samples, say the same with guesses") {
  // The speculator knows the answer to one of them; the others get none, or begin like it.
  std::vector<Request> requests;
  std::vector<Ids> expected;
  for (std::uint64_t i = 0; i < 6; ++i) requests.push_back(request(10 + i, i % 2 == 0 ? 0.0f : 0.8f));
  for (const Request& r : requests) expected.push_back(alone(r));
  for (const RungInfo& scheduler : variants().ladder<Scheduler>().rungs()) {
    if (scheduler.exercise) continue;
    for (const bool tight : {false, true}) {
      INFO(scheduler.name << (tight ? ", little memory" : ""));
      EngineConfig c = config();
      c.rungs["scheduler"] = scheduler.name;
      c.rungs["kv"] = "copy_on_write";
      c.max_step_tokens = 16;
      c.speculator = std::make_shared<Watched>(expected[2], 3, 5);
      if (tight) {
        c.kv_block_size = 4;
        const ModelConfig& m = model()->config;
        c.kv_budget = static_cast<std::size_t>(100 * m.layers * m.kv_heads * m.head_dim * 2 * 2);
      }
      Engine engine(model(), variants(), c);
      std::vector<int> ids;
      for (const Request& r : requests) ids.push_back(engine.submit(r));
      while (engine.step()) engine.check_integrity();
      for (std::size_t i = 0; i < ids.size(); ++i) CHECK(engine.take(ids[i]).token_ids == expected[i]);
      CHECK(engine.stats().accepted_tokens > 0);
      if (tight && scheduler.name != "one_at_a_time") CHECK(engine.stats().preemptions > 0);
    }
  }
}

TEST_CASE("guesses and constraints: what is not allowed is not accepted") {
  const Ids text = {200, 3, 3, 77, 0, 299, 5, 6};
  Ids guesses = text;
  guesses[3] = 78;
  EngineConfig c = config();
  c.speculator = std::make_shared<Watched>(text, 3, 4);  // guesses 4 and 8 are wrong
  Engine engine(model(), variants(), c);
  Request r = request(3);
  r.constraint = std::make_shared<ForcedText>(text);
  const Result result = engine.run(r);
  CHECK(result.token_ids == text);
  CHECK(result.finish_reason == FinishReason::stop);
  CHECK(engine.stats().accepted_tokens > 0);
  CHECK(engine.stats().steps < static_cast<std::int64_t>(text.size()));
}

TEST_CASE("a text ends at its last token, whatever is guessed behind it") {
  const Request r = request(4);
  const Ids expected = alone(r);
  for (const int length : {1, 2, 3, 7}) {
    EngineConfig c = config();
    c.speculator = std::make_shared<Watched>(expected, 5, 0);
    Engine engine(model(), variants(), c);
    Request few = r;
    few.max_tokens = length;
    const Result result = engine.run(few);
    CHECK(result.finish_reason == FinishReason::length);
    CHECK(result.token_ids == Ids(expected.begin(), expected.begin() + length));
    Request stopped = r;
    stopped.stop_ids = {expected[4]};
    const Result at_stop = engine.run(stopped);
    CHECK(at_stop.finish_reason == FinishReason::stop);
    CHECK(at_stop.token_ids.back() == expected[4]);
    CHECK(at_stop.token_ids.size() <= 5);
    engine.check_integrity();
  }
}

TEST_CASE("guesses that are no tokens, and too many of them, are left out") {
  class Wild final : public Speculator {
   public:
    int most() const override { return 2; }
    int wants(const DraftText&) override { return 1000; }
    void propose(std::span<DraftJob> jobs) override {
      for (DraftJob& job : jobs) job.guesses = {0, job.text.generated.size() % 2 == 0 ? -1 : 300, 7, 7, 7, 7};
    }
  };
  const Request r = request(5);
  EngineConfig c = config();
  c.speculator = std::make_shared<Wild>();
  Engine engine(model(), variants(), c);
  CHECK(engine.run(r).token_ids == alone(r));
}

TEST_CASE("guesses that were wanted and did not come leave nothing behind in the cache") {
  class Silent final : public Speculator {
   public:
    int most() const override { return 20; }
    int wants(const DraftText&) override { return 20; }
    void propose(std::span<DraftJob>) override {}
  };
  const Request r = request(6);
  EngineConfig c = config();
  c.kv_block_size = 4;
  c.speculator = std::make_shared<Silent>();
  Engine engine(model(), variants(), c);
  const int id = engine.submit(r);
  while (engine.step()) {
    engine.check_integrity();
    for (const ScheduledSequence* s : engine.queues().running)
      CHECK(engine.kv_use().taken <= s->computed + c.kv_block_size);
  }
  CHECK(engine.take(id).token_ids == alone(r));
  CHECK(engine.stats().guessed_tokens == 0);
}
