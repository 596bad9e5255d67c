// The workloads of lesson 0: models with random weights, and an oracle in float64 that recomputes everything.

#include <cmath>

#include "core/rng.hpp"
#include "oracle.hpp"

namespace rung::one_token {
namespace {

struct Case {
  std::string name;
  std::shared_ptr<const PlainModel> model;
  std::vector<std::vector<std::int32_t>> texts;  // given to one rung, one after the other
  bool timed = false;
};

std::vector<std::int32_t> random_text(Rng& rng, std::size_t tokens, int vocab) {
  std::vector<std::int32_t> text(tokens);
  for (std::int32_t& id : text)
    id = static_cast<std::int32_t>(rng.next() % static_cast<std::uint64_t>(vocab));
  return text;
}

std::vector<std::int32_t> longer(std::vector<std::int32_t> text, std::initializer_list<std::int32_t> ids) {
  text.insert(text.end(), ids);
  return text;
}

std::vector<Case> cases() {
  Rng rng(2026);
  const auto small = random_model(1, 1, 8, 2, 2, 4, 12, 16);
  const auto grouped = random_model(2, 3, 24, 6, 2, 8, 40, 50);
  const auto wide_heads = random_model(3, 2, 12, 2, 1, 10, 20, 33);
  const std::vector<std::int32_t> text = random_text(rng, 9, 50);
  std::vector<Case> list = {
      {"one layer, the first token", small, {{3}}},
      {"one layer, a text that grows", small, {{3}, {3, 1}, {3, 1, 4}}},
      {"6 query heads, 2 KV heads, a text of 9 tokens", grouped, {text}},
      {"6 query heads, 2 KV heads, texts of 7, 8 and 9 tokens",
       grouped,
       {{text.begin(), text.begin() + 7}, {text.begin(), text.begin() + 8}, text}},
      {"heads wider than the vector", wide_heads, {random_text(rng, 20, 33)}},
      {"another text of the same length", grouped, {text, random_text(rng, 9, 50)}},
      {"a shorter text that begins alike", grouped, {text, {text.begin(), text.begin() + 4}}},
      {"the same text twice", grouped, {text, text}},
      {"another last token", grouped, {longer(text, {7, 8}), longer(text, {7, 9})}},
  };
  const auto tiny = random_model(4, 6, 256, 8, 2, 32, 768, 4096);
  for (const std::size_t tokens : {16, 64})
    list.push_back({fmt::format("the token after {} tokens, the shapes of tiny", tokens),
                    tiny,
                    {random_text(rng, tokens, 4096)},
                    true});
  return list;
}

Verdict judge(const Ladder<OneToken>& ladder, const std::string& rung, const Case& c) {
  const std::unique_ptr<OneToken> computed = ladder.make(rung, {c.model});
  Verdict worst;
  for (const auto& text : c.texts) {
    const std::span<const float> logits = computed->logits(text);
    const std::vector<double> expected = oracle::logits(*c.model, text);
    const Verdict verdict =
        compare(c.name, {{"logit", c.model->vocab}}, logits, expected, std::vector<double>{1e-4});
    if (verdict.status != Verdict::Status::passed) return verdict;
    if (verdict.error >= worst.error) worst = verdict;
  }
  return worst;
}

}  // namespace

std::shared_ptr<const PlainModel> random_model(std::uint64_t seed, int layers, int dim, int heads,
                                               int kv_heads, int head_dim, int ffn_dim, int vocab) {
  Rng rng(seed);
  const auto weights = [&](int rows, int cols) {
    std::vector<float> numbers(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols));
    for (float& x : numbers) x = static_cast<float>(rng.normal() / std::sqrt(static_cast<double>(cols)));
    return numbers;
  };
  const auto norm = [&] {
    std::vector<float> numbers(static_cast<std::size_t>(dim));
    for (float& x : numbers) x = static_cast<float>(0.5 + rng.uniform());
    return numbers;
  };
  PlainModel model;
  model.dim = dim;
  model.heads = heads;
  model.kv_heads = kv_heads;
  model.head_dim = head_dim;
  model.ffn_dim = ffn_dim;
  model.vocab = vocab;
  model.norm_eps = 1e-5F;
  for (int i = 0; i < head_dim / 2; ++i) model.radians.push_back(std::pow(10000.0, -2.0 * i / head_dim));
  model.embedding = weights(vocab, dim);
  for (int i = 0; i < layers; ++i) {
    PlainLayer layer;
    layer.attn_norm = norm();
    layer.q = weights(heads * head_dim, dim);
    layer.k = weights(kv_heads * head_dim, dim);
    layer.v = weights(kv_heads * head_dim, dim);
    layer.attn_out = weights(dim, heads * head_dim);
    layer.ffn_norm = norm();
    layer.gate = weights(ffn_dim, dim);
    layer.up = weights(ffn_dim, dim);
    layer.down = weights(dim, ffn_dim);
    model.layers.push_back(std::move(layer));
  }
  model.output_norm = norm();
  model.output = weights(vocab, dim);
  return std::make_shared<const PlainModel>(std::move(model));
}

std::vector<Trial> trials(const Ladder<OneToken>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return judge(ladder, rung, c);
  };
  return trials_of(cases(), judge_one, [&ladder](Trial& trial, const std::shared_ptr<const Case>& c) {
    // What the next token needs, whatever a rung computes beside it.
    trial.work = {4 * c->model->weights_per_token(), 2 * c->model->weights_per_token()};
    trial.prepare = [&ladder, c](const std::string& rung, int /*threads*/) -> std::function<void()> {
      std::shared_ptr<OneToken> computed = ladder.make(rung, {c->model});
      auto text = std::make_shared<std::vector<std::int32_t>>(c->texts.front());
      computed->logits(*text);
      // Every call changes the last token, so exactly one token is new.
      return [computed, text] {
        text->back() ^= 1;
        computed->logits(*text);
      };
    };
  });
}

}  // namespace rung::one_token
