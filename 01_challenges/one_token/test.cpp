// Every rung against the float64 oracle, and what the lesson says about keys and values.

#include "core/rng.hpp"
#include "one_token.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::one_token;

namespace {

const Ladder<OneToken>& ladder() { return testing::ladder_of<OneToken, register_rungs>(); }

}  // namespace

TEST_CASE("every rung gives the oracle's logits") {
  testing::judge_all(testing::registry_of<register_rungs>(), "one_token");
}

TEST_CASE("keeping keys and values changes no bit") {
  const auto model = random_model(9, 3, 24, 6, 2, 8, 40, 50);
  const auto again = ladder().make("recompute", {model}), kept = ladder().make("kv_cache", {model});
  Rng rng(1);
  std::vector<std::int32_t> text;
  for (int i = 0; i < 40; ++i) {
    text.push_back(static_cast<std::int32_t>(rng.next() % 50));
    if (i % 7 == 6) text[text.size() / 2] = i;  // everything from there on is computed again
    const auto a = again->logits(text), b = kept->logits(text);
    REQUIRE(std::vector<float>(a.begin(), a.end()) == std::vector<float>(b.begin(), b.end()));
  }
}

TEST_CASE("a pass adds one key and one value per layer and KV head") {
  const auto model = random_model(9, 3, 24, 6, 2, 8, 40, 50);
  std::vector<KeysValues> cache(3);
  std::vector<float> logits(50);
  for (int position = 0; position < 5; ++position) token_pass(*model, position, position, cache, logits);
  for (const KeysValues& layer : cache) {
    CHECK(layer.keys.size() == 5 * 2 * 8);
    CHECK(layer.values.size() == 5 * 2 * 8);
  }
}

TEST_CASE("weights_per_token counts every weight but the embedding") {
  const auto model = random_model(9, 3, 24, 6, 2, 8, 40, 50);
  std::size_t weights = model->output.size() + model->output_norm.size() + 24;  // one row of the embedding
  for (const PlainLayer& l : model->layers) {
    weights += l.attn_norm.size() + l.q.size() + l.k.size() + l.v.size() + l.attn_out.size() +
               l.ffn_norm.size() + l.gate.size() + l.up.size() + l.down.size();
  }
  CHECK(model->weights_per_token() == static_cast<double>(weights));
}
