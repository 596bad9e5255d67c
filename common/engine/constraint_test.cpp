// Constraints end to end: a request may only say what its constraint allows, whatever runs beside it.

#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "engine/engine.hpp"
#include "loop/forced_text.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

std::shared_ptr<const Model> model() {
  static const auto loaded = [] {
    const std::string path = testing::scratch_file("constraint_test.gguf");
    synth(path, "test-tiny", DType::f32, 3, 1);
    return std::make_shared<const Model>(load_model(path));
  }();
  return loaded;
}

EngineConfig config() {
  EngineConfig c;
  c.context = 64;
  c.threads = 1;
  c.max_sequences = 4;
  return c;
}

Request request(std::uint64_t seed, float temperature) {
  Request r;
  r.prompt = {1, 17, 40, static_cast<std::int32_t>(5 + seed)};
  r.max_tokens = 12;
  r.sampling.temperature = temperature;
  r.sampling.seed = seed;
  r.ignore_end = true;
  return r;
}

/// Only tokens below a limit that grows by one with each token.
class Growing final : public Constraint {
 public:
  bool allowed(TokenMask& mask) const override {
    mask.clear();
    for (std::int32_t id = 0; id < limit_; ++id) mask.allow(id);
    return true;
  }
  void accept(std::int32_t token) override {
    REQUIRE(token < limit_);
    ++limit_;
  }
  void rollback(int count) override { limit_ -= count; }
  Ids forced() const override { return limit_ == 1 ? Ids{0} : Ids{}; }
  std::unique_ptr<Constraint> clone() const override { return std::make_unique<Growing>(*this); }

 private:
  std::int32_t limit_ = 1;
};

}  // namespace

TEST_CASE("a forced text comes out token by token, at every temperature and with every sampler") {
  const Ids text = {200, 3, 3, 77, 0, 299};
  for (const RungInfo& rung : variants().ladder<Sampler>().rungs()) {
    if (rung.exercise) continue;
    EngineConfig c = config();
    c.rungs["sampler"] = rung.name;
    Engine engine(model(), variants(), c);
    for (const float temperature : {0.0f, 0.7f, 5.0f}) {
      INFO(rung.name << ", temperature " << temperature);
      Request r = request(1, temperature);
      r.constraint = std::make_shared<ForcedText>(text);
      r.sampling.logprobs = 0;
      Ids heard;
      FinishReason reason = FinishReason::none;
      r.on_delta = [&](const Delta& delta) {
        heard.insert(heard.end(), delta.token_ids.begin(), delta.token_ids.end());
        reason = delta.finish_reason;
      };
      const Result result = engine.run(r);
      CHECK(result.token_ids == text);
      CHECK(heard == text);
      CHECK(result.finish_reason == FinishReason::stop);  // nothing may follow
      CHECK(reason == FinishReason::stop);

      // The probability of each token is the model's own: that of the text as a prompt.
      Ids whole = r.prompt;
      whole.insert(whole.end(), text.begin(), text.end());
      std::vector<float> logits;
      engine.logits(whole, [&](const Tensor& rows) {
        for (std::int64_t t = 0; t < rows.rows; ++t)
          logits.insert(logits.end(), rows.ptr<float>(t), rows.ptr<float>(t) + rows.cols);
      });
      const auto vocab = static_cast<std::size_t>(model()->config.vocab_size);
      for (std::size_t i = 0; i < text.size(); ++i) {
        const float* row = &logits[(r.prompt.size() + i - 1) * vocab];
        double sum = 0;
        for (std::size_t j = 0; j < vocab; ++j) sum += std::exp(static_cast<double>(row[j]));
        const double expected = static_cast<double>(row[text[i]]) - std::log(sum);
        CHECK(static_cast<double>(result.samples[i].logprob) == Approx(expected).margin(2e-3));
      }
    }
  }
}

TEST_CASE("requests without a constraint say the same beside requests with one") {
  Engine engine(model(), variants(), config());
  const Ids free_alone = engine.run(request(2, 0.9f)).token_ids;
  Request forced = request(3, 0.9f), growing = request(4, 0.9f);
  const Ids text = {9, 8, 7};
  forced.constraint = std::make_shared<ForcedText>(text);
  growing.constraint = std::make_shared<Growing>();
  const int a = engine.submit(forced), b = engine.submit(request(2, 0.9f)), c = engine.submit(growing);
  while (engine.step()) {
  }
  CHECK(engine.take(a).token_ids == text);
  CHECK(engine.take(b).token_ids == free_alone);
  const Ids grown = engine.take(c).token_ids;
  REQUIRE(grown.size() == 12);
  for (std::size_t i = 0; i < grown.size(); ++i) CHECK(grown[i] <= static_cast<std::int32_t>(i));
}

TEST_CASE("samples and forks have a state of their own") {
  Engine engine(model(), variants(), config());
  Request r = request(5, 2.0f);
  r.constraint = std::make_shared<Growing>();
  r.n = 3;
  const int first = engine.submit(r);
  int fork = -1;
  for (int steps = 0; engine.step(); ++steps) {
    if (steps == 4) fork = engine.fork(first, 99);
  }
  REQUIRE(fork >= 0);
  for (const int id : {first, first + 1, first + 2, fork}) {
    const Ids ids = engine.take(id).token_ids;
    REQUIRE(ids.size() == 12);
    for (std::size_t i = 0; i < ids.size(); ++i) CHECK(ids[i] <= static_cast<std::int32_t>(i));
  }
}

TEST_CASE("a constraint that allows nothing ends a request before its first token") {
  Engine engine(model(), variants(), config());
  Request r = request(6, 0);
  r.constraint = std::make_shared<ForcedText>(Ids{});
  r.n = 2;
  const int first = engine.submit(r);
  while (engine.step()) {
  }
  for (const int id : {first, first + 1}) {
    const Result result = engine.take(id);
    CHECK(result.token_ids.empty());
    CHECK(result.finish_reason == FinishReason::stop);
  }
  CHECK(engine.kv_use().taken == engine.kv_use().kept);
}

TEST_CASE("a forced text can be taken back and copied") {
  ForcedText forced({4, 5, 6});
  TokenMask mask(10);
  forced.accept(4);
  forced.accept(5);
  const auto copy = forced.clone();
  forced.rollback(2);
  CHECK(forced.forced() == Ids{4, 5, 6});
  CHECK(copy->forced() == Ids{6});
  REQUIRE(copy->allowed(mask));
  CHECK(mask.count() == 1);
  CHECK(mask.allows(6));
  copy->accept(6);
  CHECK_FALSE(copy->allowed(mask));
  CHECK(copy->forced().empty());
}
