// Lesson 0 ends with the engine's logits: its rungs, run in place of the engine's forward pass.

#include <cmath>

#include "catalog/variants.hpp"
#include "core/error.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"
#include "testing/paths.hpp"

using namespace rung;

namespace {

std::shared_ptr<const Model> tiny(const char* path) {
  return std::make_shared<const Model>(load_model((testing::source_dir() / path).string()));
}

EngineConfig with_one_token(const std::string& rung) {
  EngineConfig config = exact_config();
  config.context = 128;
  if (!rung.empty()) config.rungs["one_token"] = rung;
  return config;
}

Result generated(const std::shared_ptr<const Model>& model, const std::string& rung) {
  Engine engine(model, variants(), with_one_token(rung));
  Request request;
  request.prompt = model->tokenizer->encode("Once upon a time, there was a cat", true);
  request.max_tokens = 40;
  request.sampling.temperature = 0;
  return engine.run(std::move(request));
}

std::vector<float> all_logits(const std::shared_ptr<const Model>& model, const std::string& rung) {
  Engine engine(model, variants(), with_one_token(rung));
  const std::vector<std::int32_t> ids = model->tokenizer->encode("The old king had a garden.", true);
  std::vector<float> all;
  engine.logits(ids, [&](const Tensor& rows) {
    all.insert(all.end(), rows.ptr<float>(), rows.ptr<float>() + rows.size());
  });
  return all;
}

}  // namespace

TEST_CASE("the rungs of lesson 0 give the engine's logits and text, for a GGUF file and a folder") {
  // The folder keeps the pairs of RoPE in two halves.
  for (const char* path : {"models/tiny.gguf", "models/tiny"}) {
    const auto model = tiny(path);
    const std::vector<float> expected = all_logits(model, "");
    const Result text = generated(model, "");
    for (const char* rung : {"recompute", "kv_cache"}) {
      INFO(path << ", " << rung);
      const std::vector<float> logits = all_logits(model, rung);
      REQUIRE(logits.size() == expected.size());
      float worst = 0;
      for (std::size_t i = 0; i < logits.size(); ++i)
        worst = std::max(worst, std::fabs(logits[i] - expected[i]));
      CHECK(worst < 1e-4F);
      CHECK(generated(model, rung).token_ids == text.token_ids);
    }
  }
}

TEST_CASE("an engine with a rung of lesson 0 serves one request after the other") {
  const auto model = tiny("models/tiny.gguf");
  Engine engine(model, variants(), with_one_token("kv_cache"));
  CHECK(engine.rungs().at("one_token") == "kv_cache");
  Request request;
  request.prompt = model->tokenizer->encode("Once upon a time", true);
  request.max_tokens = 10;
  request.sampling.temperature = 0;
  const auto first = engine.run(request).token_ids;
  Request other = request;
  other.prompt = model->tokenizer->encode("The dog", true);
  CHECK(engine.run(other).token_ids != first);
  CHECK(engine.run(request).token_ids == first);
}

TEST_CASE("what lesson 0 cannot compute is refused with a sentence") {
  const auto model = tiny("models/tiny.gguf");
  const auto build = [&](EngineConfig config) { Engine(model, variants(), std::move(config)); };
  EngineConfig config = with_one_token("kv_cache");
  config.max_sequences = 2;
  CHECK_THROWS_WITH(build(config), testing::contains("one text at a time"));
  config = with_one_token("kv_cache");
  config.rungs["prefix_cache"] = "radix";
  CHECK_THROWS_WITH(build(config), testing::contains("prefix_cache=none"));
  CHECK_THROWS_WITH(build(with_one_token("fast")), testing::contains("no rung 'fast'"));
  CHECK_THROWS_WITH(Engine(tiny("models/moe"), variants(), with_one_token("kv_cache")),
                    testing::contains("experts"));
}
