// Many threads on one engine: every text is the one that the naive engine gives, errors reach who caused
// them, and nobody waits for ever.

#include <atomic>
#include <map>
#include <memory>
#include <thread>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine_thread.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 48, kTexts = 12;

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("engine_thread_test.gguf");
    synth(path, "test-tiny", DType::f32, 7, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

EngineConfig small_config() {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.max_sequences = 4;
  config.max_step_tokens = 24;
  config.kv_block_size = 4;
  const ModelConfig& m = model()->config;
  config.kv_budget =
      2 * kContext * 2 * static_cast<std::size_t>(m.layers * m.kv_heads * m.head_dim) * sizeof(std::uint16_t);
  return config;
}

Request request(int number) {
  Request r;
  Rng rng(static_cast<std::uint64_t>(number % kTexts));
  for (std::uint64_t i = 4 + rng.below(12); i > 0; --i)
    r.prompt.push_back(static_cast<std::int32_t>(rng.below(300)));
  r.max_tokens = 4 + static_cast<int>(rng.below(20));
  r.sampling.temperature = rng.below(2) == 0 ? 0.0f : 0.9f;
  r.sampling.seed = rng.next();
  r.ignore_end = true;
  return r;
}

const std::vector<Result>& alone() {
  static const std::vector<Result> results = [] {
    EngineConfig config;
    config.threads = 1;
    config.context = kContext;
    for (const LadderBase* ladder : variants().all())
      config.rungs[ladder->seam()] = ladder->rungs().front().name;
    config.rungs.erase("bandwidth");
    config.rungs.erase("tokenization");
    Engine engine(model(), variants(), config);
    std::vector<Result> list;
    for (int i = 0; i < kTexts; ++i) list.push_back(engine.run(request(i)));
    return list;
  }();
  return results;
}

}  // namespace

TEST_CASE("threads that submit, stream, fork and cancel at once get the texts of the naive engine") {
  alone();  // before the threads begin
  EngineThread engine(model(), variants(), small_config());
  constexpr int kThreads = 4, kEach = 15;
  std::atomic<int> wrong = 0, cancelled = 0, forked = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Rng rng(static_cast<std::uint64_t>(100 + t));
      for (int i = 0; i < kEach; ++i) {
        const int number = static_cast<int>(rng.below(kTexts));
        const Result& expected = alone()[static_cast<std::size_t>(number)];
        const std::uint64_t kind = rng.below(4);
        Request r = request(number);
        Ids heard;
        std::string text, called;
        r.on_delta = [&](const Delta& delta) {
          heard.insert(heard.end(), delta.token_ids.begin(), delta.token_ids.end());
          called += delta.text;
        };
        const std::shared_ptr<Stream> stream = engine.submit(std::move(r));
        std::shared_ptr<Stream> fork;
        if (kind == 1) {
          try {
            fork = stream->fork(request(number).sampling.seed);
            ++forked;
          } catch (const UsageError&) {  // it had ended already
          }
        }
        if (kind == 2) stream->cancel();
        Ids taken;
        FinishReason reason = FinishReason::none;
        while (const auto delta = stream->next()) {
          wrong += reason != FinishReason::none;  // nothing comes after the last delta
          text += delta->text;
          taken.insert(taken.end(), delta->token_ids.begin(), delta->token_ids.end());
          reason = delta->finish_reason;
        }
        const Result result = stream->wait();
        wrong += result.text != text || called != text || result.token_ids != heard || taken != heard ||
                 result.finish_reason != reason || !stream->finished() || stream->poll().has_value();
        if (result.finish_reason == FinishReason::cancelled) {
          ++cancelled;
          wrong += kind != 2 || result.token_ids.size() > expected.token_ids.size() ||
                   !std::equal(result.token_ids.begin(), result.token_ids.end(), expected.token_ids.begin());
        } else {
          wrong += result.text != expected.text || result.token_ids != expected.token_ids;
        }
        if (fork) wrong += fork->wait().token_ids != expected.token_ids;  // the same seed: the same draws
        if (rng.below(4) == 0) engine.check_integrity();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(cancelled > 0);
  CHECK(forked > 0);
  const ServiceSnapshot end = engine.snapshot();
  CHECK(end.stats.finished >= kThreads * kEach);
  CHECK(end.sequences.empty());
  CHECK(end.kv.taken == end.kv.kept);  // what is left belongs to the prefix cache
}

TEST_CASE("samples of one prompt have a stream each, and the texts of requests with those seeds") {
  EngineThread engine(model(), variants(), small_config());
  constexpr int kSamples = 3;
  Request many = request(1);
  many.sampling.temperature = 0.9f;
  many.n = kSamples;
  std::string called;
  many.on_delta = [&called](const Delta& delta) { called += delta.text; };
  const std::vector<std::shared_ptr<Stream>> samples = engine.submit_samples(many);
  REQUIRE(samples.size() == kSamples);
  for (int i = 0; i < kSamples; ++i) {
    Request single = many;
    single.n = 1;
    single.on_delta = nullptr;
    single.sampling.seed += static_cast<std::uint64_t>(i);
    const Result expected = engine.submit(single)->wait();
    Stream& sample = *samples[static_cast<std::size_t>(i)];
    std::string text;
    while (const auto delta = sample.next()) text += delta->text;
    CHECK(text == expected.text);
    CHECK(sample.wait().token_ids == expected.token_ids);
    if (i == 0) CHECK(called == expected.text);
  }
  CHECK(engine.snapshot().stats.forks == kSamples - 1);
  many.n = 0;
  CHECK_THROWS_AS(engine.submit_samples(many), UsageError);
}

TEST_CASE("what is wrong with a request is told to who submits it") {
  EngineConfig config = small_config();
  config.max_waiting = 1;
  EngineThread engine(model(), variants(), config);
  Request empty = request(0);
  empty.prompt.clear();
  CHECK_THROWS_WITH(engine.submit(empty), testing::contains("the prompt is empty"));
  Request many = request(0);
  many.n = 2;
  CHECK_THROWS_WITH(engine.submit(many), testing::contains("submit_samples()"));
  EngineConfig impossible = small_config();
  impossible.kv_budget = 100;
  CHECK_THROWS_WITH(EngineThread(model(), variants(), impossible), testing::contains("could never end"));
  CHECK(engine.submit(request(3))->wait().text == alone()[3].text);
}

TEST_CASE("a callback that throws ends its request alone") {
  EngineThread engine(model(), variants(), small_config());
  Request bad = request(0);
  bad.on_delta = [](const Delta&) { throw std::runtime_error("the listener left"); };
  Request asking = request(1);
  asking.on_delta = [&engine](const Delta&) { engine.snapshot(); };  // would wait for itself
  const auto good = engine.submit(request(2)), failing = engine.submit(std::move(bad)),
             waiting = engine.submit(std::move(asking));
  CHECK_THROWS_WITH(failing->wait(), testing::contains("the listener left"));
  CHECK_THROWS_WITH(waiting->wait(), testing::contains("nothing but cancel()"));
  CHECK(good->wait().token_ids == alone()[2].token_ids);
  CHECK(engine.submit(request(4))->wait().token_ids == alone()[4].token_ids);
}

TEST_CASE("a request may cancel itself from its callback") {
  EngineThread engine(model(), variants(), small_config());
  std::shared_ptr<Stream> stream;
  std::atomic<bool> known = false;
  Request r = request(5);
  r.max_tokens = 30;
  r.on_delta = [&](const Delta&) {
    if (known) stream->cancel();
  };
  stream = engine.submit(std::move(r));
  known = true;
  const FinishReason reason = stream->wait().finish_reason;
  CHECK((reason == FinishReason::cancelled || reason == FinishReason::length));
}

TEST_CASE("a shutdown ends what is under way, and streams outlive the engine") {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    EngineThread engine(model(), variants(), small_config());
    for (int i = 0; i < 30; ++i) streams.push_back(engine.submit(request(i)));
    engine.shutdown();
    engine.shutdown();
    CHECK_THROWS_WITH(engine.submit(request(0)), testing::contains("shut down"));
    CHECK_THROWS_WITH(streams[0]->fork(1), testing::contains("shut down"));
  }
  int cancelled = 0;
  for (int i = 0; i < 30; ++i) {
    const Result result = streams[static_cast<std::size_t>(i)]->wait();
    const Ids& expected = alone()[static_cast<std::size_t>(i % kTexts)].token_ids;
    CHECK(std::equal(result.token_ids.begin(), result.token_ids.end(), expected.begin()));
    cancelled += result.finish_reason == FinishReason::cancelled;
    streams[static_cast<std::size_t>(i)]->cancel();  // too late, and harmless
  }
  CHECK(cancelled > 0);
}

TEST_CASE("an error of the engine's thread reaches everybody who waits") {
  struct Broken final : Sampler {
    void sample(std::span<const SampleRow> rows, std::span<SampledToken> tokens) override {
      for (const SampleRow& row : rows) {
        if (row.step == 3) fail("the dice are gone");
      }
      for (SampledToken& token : tokens) token = {};
    }
  };
  Registry registry = make_variants();
  registry.ladder<Sampler>().add({{"broken", "", "", false, false},
                                  [](const SamplerConfig&) { return std::make_unique<Broken>(); },
                                  {}});
  EngineConfig config = small_config();
  config.rungs["sampler"] = "broken";
  EngineThread engine(model(), registry, config);
  Request r = request(0);
  r.max_tokens = 10;
  const std::shared_ptr<Stream> stream = engine.submit(r);
  CHECK_THROWS_WITH(
      [&] {
        while (stream->next()) {
        }
      }(),
      testing::contains("the dice are gone"));
  CHECK_THROWS_WITH(stream->wait(), testing::contains("the dice are gone"));
  CHECK_THROWS_WITH(engine.submit(r), testing::contains("the dice are gone"));
  CHECK_THROWS_WITH(engine.snapshot(), testing::contains("the dice are gone"));
}

TEST_CASE("a stream can be polled, and a snapshot says what is under way") {
  EngineConfig config = small_config();
  config.max_sequences = 1;
  EngineThread thread(model(), variants(), config);
  InferenceService& service = thread;  // who asks need not know what answers
  Request first = request(1), second = request(2);
  first.max_tokens = 40;
  first.ignore_end = true;
  first.user = 7;
  std::atomic<bool> may_go_on = false, began = false;
  first.on_delta = [&](const Delta&) {
    began = true;
    while (!may_go_on) std::this_thread::yield();
  };
  const auto running = service.submit(first);
  while (!began) std::this_thread::yield();
  std::shared_ptr<Stream> waiting;
  std::thread submitting([&] { waiting = service.submit(second); });  // answered between two steps
  CHECK_FALSE(running->finished());
  may_go_on = true;
  submitting.join();

  const ServiceSnapshot snapshot = service.snapshot();
  for (const SequenceSnapshot& s : snapshot.sequences) {
    CHECK((s.state == SequenceState::running || s.state == SequenceState::waiting));
    CHECK(s.prompt_tokens > 0);
    CHECK(s.waited_s >= 0);
    if (s.user == 7) CHECK(s.max_tokens == 40);
  }
  std::string text;
  while (!running->finished()) {
    while (const auto delta = running->poll()) text += delta->text;
    std::this_thread::yield();
  }
  while (const auto delta = running->poll()) text += delta->text;
  CHECK(text == running->wait().text);
  CHECK(waiting->wait().token_ids == alone()[2].token_ids);
  CHECK(service.snapshot().sequences.empty());
}
