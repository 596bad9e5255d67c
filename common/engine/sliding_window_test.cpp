// Texts that outgrow the cache: what is kept, that it is kept as the definition says, and what is refused.

#include <algorithm>
#include <cmath>
#include <memory>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"

using namespace rung;
using Ids = std::vector<std::int32_t>;

namespace {

constexpr int kContext = 24, kBlock = 4;

std::shared_ptr<const Model> model(int layers) {
  const std::string path = testing::scratch_file("sliding_window_test.gguf");
  synth(path, "test-tiny", DType::f32, 7, 2);
  auto loaded = std::make_shared<Model>(load_model(path));
  const auto n = static_cast<std::size_t>(layers);
  REQUIRE(loaded->weights.layers.size() >= n);
  loaded->config.layers = layers;
  loaded->weights.layers.resize(n);
  loaded->config.layer_attention.resize(n);
  return loaded;
}

EngineConfig config_with(int sinks) {
  EngineConfig config;
  config.threads = 1;
  config.context = kContext;
  config.kv_block_size = kBlock;
  config.sinks = sinks;
  return config;
}

Ids random_ids(const Model& model, int n) {
  Rng rng(5);
  Ids ids;
  for (int i = 0; i < n; ++i) {
    ids.push_back(static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model.config.vocab_size))));
  }
  return ids;
}

/// All rows of logits, one after the other.
std::vector<float> logits_of(Engine& engine, const Ids& ids) {
  std::vector<float> all;
  engine.logits(ids, [&](const Tensor& rows) {
    for (std::int64_t r = 0; r < rows.rows; ++r) {
      all.insert(all.end(), rows.ptr<float>(r), rows.ptr<float>(r) + rows.cols);
    }
  });
  return all;
}

/// What token p of a text sees: the sinks in whole blocks, and what follows the blocks that had to go.
Ids kept(const Ids& ids, int p, int sinks) {
  const int first = (sinks + kBlock - 1) / kBlock * kBlock;
  const int gone = p < kContext ? 0 : (p + 1 - kContext + kBlock - 1) / kBlock * kBlock;
  Ids list(ids.begin(), ids.begin() + p + 1);
  list.erase(list.begin() + first, list.begin() + first + gone);
  return list;
}

}  // namespace

// In a model of one layer, keys and values depend on their own token alone: so a text with its middle cut out
// has the logits that the engine computes where it never saw that middle.
TEST_CASE("one layer: the logits are those of the tokens that were kept") {
  const auto one = model(1);
  const Ids ids = random_ids(*one, 70);
  const auto vocab = static_cast<std::size_t>(one->config.vocab_size);
  for (const int sinks : {0, 1, 4, 6}) {
    for (const DType kv_type : {DType::f32, DType::f16}) {
      CAPTURE(sinks, traits(kv_type).name);
      EngineConfig config = config_with(sinks), plain = config_with(-1);
      config.kv_type = plain.kv_type = kv_type;
      Engine engine(one, variants(), config), fresh(one, variants(), plain);
      const std::vector<float> all = logits_of(engine, ids);
      REQUIRE(all.size() == ids.size() * vocab);
      float largest = 0, difference = 0;
      for (int p = 0; p < static_cast<int>(ids.size()); ++p) {
        const std::vector<float> expected = logits_of(fresh, kept(ids, p, sinks));
        for (std::size_t v = 0; v < vocab; ++v) {
          const float e = expected[expected.size() - vocab + v];
          largest = std::max(largest, std::fabs(e));
          difference = std::max(difference, std::fabs(all[static_cast<std::size_t>(p) * vocab + v] - e));
        }
      }
      // A key in f16 is rounded anew whenever it moves.
      CHECK(difference < (kv_type == DType::f32 ? 1e-5f : 4e-3f) * largest);
    }
  }
}

TEST_CASE("the same bits however the text is cut into steps") {
  const auto two = model(2);
  const Ids ids = random_ids(*two, 90);
  EngineConfig config = config_with(4);
  Engine whole(two, variants(), config);
  const std::vector<float> expected = logits_of(whole, ids);
  for (const int step : {1, 3, 16}) {
    config.max_step_tokens = step;
    Engine engine(two, variants(), config);
    CHECK(logits_of(engine, ids) == expected);
  }
}

TEST_CASE(
    "generation goes on past the context, as the logits of its own text say, and leaves no block behind") {
  const auto two = model(2);
  EngineConfig config = config_with(4);
  config.max_sequences = 3;
  Engine engine(two, variants(), config);
  const Ids prompt = random_ids(*two, 9);
  Request request;
  request.prompt = prompt;
  request.max_tokens = 150;
  request.sampling.temperature = 0;
  request.ignore_end = true;
  std::vector<int> running;
  for (int i = 0; i < 3; ++i) running.push_back(engine.submit(request));
  while (engine.step()) engine.check_integrity();
  for (const int id : running) {
    const Result result = engine.take(id);
    REQUIRE(result.token_ids.size() == 150);
    Ids text = prompt;
    text.insert(text.end(), result.token_ids.begin(), result.token_ids.end());
    Engine judge(two, variants(), config_with(4));
    const std::vector<float> logits = logits_of(judge, text);
    const auto vocab = static_cast<std::ptrdiff_t>(two->config.vocab_size);
    for (std::size_t i = 0; i < result.token_ids.size(); ++i) {
      const auto row = logits.begin() + static_cast<std::ptrdiff_t>(prompt.size() + i - 1) * vocab;
      CHECK(std::max_element(row, row + vocab) - row == result.token_ids[i]);
    }
  }
  CHECK(engine.kv_use().taken == 0);
}

TEST_CASE("what sinks cannot be combined with is refused with a sentence") {
  const auto two = model(2);
  const auto refuses = [&](EngineConfig config, const char* part) {
    CHECK_THROWS_WITH(Engine(two, variants(), std::move(config)), testing::contains(part));
  };
  refuses(config_with(kContext), "at most 16");
  EngineConfig config = config_with(4);
  config.kv_budget = 1 << 20;
  refuses(config, "--kv-budget");
  config = config_with(4);
  config.rungs["prefix_cache"] = "radix";
  refuses(config, "prefix_cache=none");
  config = config_with(4);
  config.rungs["kv"] = "contiguous";
  refuses(config, "--kv paged");
  Engine engine(two, variants(), config_with(4));
  Request request;
  request.prompt = random_ids(*two, kContext + 1);
  CHECK_THROWS_WITH(engine.submit(request), testing::contains("the context holds 24"));
}
