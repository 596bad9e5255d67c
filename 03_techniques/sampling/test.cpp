// The ladder `sampler`: oracle, papers, statistics, agreement of the rungs.
// Distributions from an outside implementation are in parity_test.cpp, what must be refused in
// refusal_test.cpp.

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "mass.hpp"
#include "oracle.hpp"
#include "sampling.hpp"
#include "test_support.hpp"
#include "testing/catch.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::sampling;

namespace {

/// Draws 20,000 tokens from every rung: exactly the tokens of nonzero weight come out, each as often as
/// its share says, within 5 standard deviations.
void expect_shares(const std::vector<float>& logits, const SamplingParams& params,
                   const std::vector<double>& weights, const Ids& prompt = {}, const Ids& generated = {}) {
  constexpr int kDraws = 20'000;
  double total = 0;
  for (const double w : weights) total += w;
  for (const auto& [name, sampler] : all_rungs(static_cast<int>(logits.size()))) {
    std::vector<int> count(logits.size(), 0);
    for (int step = 0; step < kDraws; ++step) {
      const auto token =
          sampler->sample({logits, prompt, generated, &params, static_cast<std::uint64_t>(step)}).token;
      ++count[static_cast<std::size_t>(token)];
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double p = weights[i] / total;
      INFO("rung " << name << ", token " << i << " came " << count[i] << " times, expected " << p * kDraws);
      CHECK(std::fabs(count[i] - p * kDraws) <= 5 * std::sqrt(p * (1 - p) * kDraws));
    }
  }
}

}  // namespace

TEST_CASE("every rung draws the oracle's tokens") { rung::testing::judge_all(registry(), "sampler"); }

TEST_CASE("masses are exp(-gap), rounded") {
  CHECK(sampling::mass_of(0) == sampling::kFullMass);
  CHECK(sampling::mass_of(HUGE_VAL) == 0);
  Rng rng(1);
  for (int i = 0; i < 300'000; ++i) {
    const double gap = 40 * rng.uniform();
    const double exact = std::exp(-gap) * static_cast<double>(sampling::kFullMass);
    REQUIRE(std::fabs(static_cast<double>(sampling::mass_of(gap)) - exact) <= 0.51);
  }
}

// Tokens 0..4 with probability 0.4, 0.3, 0.15, 0.1, 0.05: what each paper's rule keeps can be read off.
TEST_CASE("each parameter alone does what its paper says") {
  const std::vector<float> logits = logs({0.4, 0.3, 0.15, 0.1, 0.05});
  SamplingParams params = plain();

  SECTION("nothing") { expect_shares(logits, params, {0.4, 0.3, 0.15, 0.1, 0.05}); }
  SECTION("temperature 0.5 squares the probabilities") {
    params.temperature = 0.5f;
    expect_shares(logits, params, {0.16, 0.09, 0.0225, 0.01, 0.0025});
  }
  SECTION("temperature 0 takes the largest") {
    params.temperature = 0;
    expect_shares(logits, params, {1, 0, 0, 0, 0});
  }
  SECTION("top-k 2") {
    params.top_k = 2;
    expect_shares(logits, params, {0.4, 0.3, 0, 0, 0});
  }
  SECTION("top-p 0.6: the token that crosses 0.6 belongs to the nucleus") {
    params.top_p = 0.6f;
    expect_shares(logits, params, {0.4, 0.3, 0, 0, 0});
  }
  SECTION("top-p 0.75") {
    params.top_p = 0.75f;
    expect_shares(logits, params, {0.4, 0.3, 0.15, 0, 0});
  }
  SECTION("top-p 0.01 keeps one token") {
    params.top_p = 0.01f;
    expect_shares(logits, params, {1, 0, 0, 0, 0});
  }
  SECTION("min-p 0.3: at least 0.12") {
    params.min_p = 0.3f;
    expect_shares(logits, params, {0.4, 0.3, 0.15, 0, 0});
  }
  // The entropy is 1.392; the surprises 0.916, 1.204, 1.897, 2.303, 2.996 lie 0.476, 0.188, 0.505, 0.910 and
  // 1.603 from it: the order is 1, 0, 2, 3, 4.
  SECTION("typical 0.25 leaves the most probable token out") {
    params.typical_p = 0.25f;
    expect_shares(logits, params, {0, 1, 0, 0, 0});
  }
  SECTION("typical 0.8") {
    params.typical_p = 0.8f;
    expect_shares(logits, params, {0.4, 0.3, 0.15, 0, 0});
  }
  SECTION("top-p sees what top-k left: of 4/7 and 3/7, 0.55 needs one token") {
    params.top_k = 2;
    params.top_p = 0.55f;
    expect_shares(logits, params, {1, 0, 0, 0, 0});
  }
}

TEST_CASE("penalties and bias change the logits that they name") {
  const std::vector<float> logits = {2, 1, 0, -1, -2};
  const auto weights = [](std::initializer_list<double> x) {
    std::vector<double> w;
    for (const double value : x) w.push_back(std::exp(value));
    return w;
  };
  SamplingParams params = plain();
  SECTION("repetition: positive logits are divided, negative ones multiplied, once per token") {
    params.repetition_penalty = 2;
    expect_shares(logits, params, weights({1, 1, 0, -1, -4}), {0, 0}, {4, 4, 4});
  }
  SECTION("presence: once per generated token; the prompt does not count") {
    params.presence_penalty = 0.5f;
    expect_shares(logits, params, weights({1.5, 1, 0, -1.5, -2}), {1}, {0, 0, 3});
  }
  SECTION("frequency: once per occurrence") {
    params.frequency_penalty = 0.25f;
    expect_shares(logits, params, weights({1.5, 1, 0, -1.25, -2}), {1}, {0, 3, 0});
  }
  SECTION("bias comes before the repetition penalty") {
    params.logit_bias = {{2, 3.0f}, {0, -1.0f}};
    params.repetition_penalty = 2;
    expect_shares(logits, params, weights({1, 1, 1.5, -1, -2}), {2}, {});
  }
}

TEST_CASE("200,000 draws follow the oracle's distribution (chi-square)") {
  constexpr int kVocab = 60, kDraws = 200'000;
  Rng rng(4);
  std::vector<float> logits(kVocab);
  for (float& x : logits) x = static_cast<float>(1.5 * rng.normal());
  SamplingParams params = plain();
  params.temperature = 1.2f;
  params.top_p = 0.95f;
  params.seed = 11;
  const auto expected = sampling::oracle(logits, {}, {}, params).probability;
  for (const auto& [name, sampler] : all_rungs(kVocab)) {
    std::vector<int> count(kVocab, 0);
    for (int i = 0; i < kDraws; ++i) {
      ++count[static_cast<std::size_t>(
          sampler->sample({logits, {}, {}, &params, static_cast<std::uint64_t>(i)}).token)];
    }
    double statistic = 0;
    int cells = 0;
    for (std::size_t i = 0; i < kVocab; ++i) {
      const double mean = expected[i] * kDraws;
      if (mean == 0) {
        CHECK(count[i] == 0);
        continue;
      }
      REQUIRE(mean > 5);  // else the statistic is not chi-square
      statistic += (count[i] - mean) * (count[i] - mean) / mean;
      ++cells;
    }
    const double freedom = cells - 1;
    INFO("rung " << name << ": chi-square " << statistic << " with " << freedom << " degrees of freedom");
    CHECK(cells > 15);
    CHECK(cells < kVocab);
    CHECK(statistic < freedom + 5 * std::sqrt(2 * freedom));
  }
}

namespace {

/// A random row: flat or peaked, with or without equal and masked logits. One token is never masked.
std::vector<float> random_logits(Rng& rng, std::size_t vocab) {
  const double spread = std::exp(6 * rng.uniform() - 3);  // 0.05 to 20
  const double grid = rng.below(3) == 0 ? 0.25 * spread : 0;
  const bool masked = rng.below(4) == 0;
  std::vector<float> logits(vocab);
  for (float& x : logits) {
    double value = spread * rng.normal();
    if (grid > 0) value = std::round(value / grid) * grid;
    x = masked && rng.below(2) == 0 ? -HUGE_VALF : static_cast<float>(value);
  }
  logits[rng.below(vocab)] = static_cast<float>(spread);
  return logits;
}

/// Some tokens, of which at least one can be drawn.
TokenMask random_mask(Rng& rng, const std::vector<float>& logits) {
  TokenMask mask(static_cast<int>(logits.size()));
  const std::uint64_t one_in = 1 + rng.below(20);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (rng.below(one_in) == 0) mask.allow(static_cast<std::int32_t>(i));
  }
  mask.allow(static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  return mask;
}

SamplingParams random_params(Rng& rng, std::size_t vocab) {
  SamplingParams params;
  const auto half = [&] { return rng.below(2) == 0; };
  const auto unit = [&] { return static_cast<float>(rng.uniform()); };
  params.temperature = rng.below(20) == 0 ? 0.0f : static_cast<float>(std::exp(4 * rng.uniform() - 2.5));
  if (half()) params.top_k = static_cast<int>(rng.below(half() ? 10 : vocab + 5));
  if (half()) params.top_p = half() ? 1 - unit() : 0.9f;
  if (half()) params.min_p = half() ? unit() : 0.05f * unit();
  if (half()) params.typical_p = 1 - unit();
  if (half()) params.repetition_penalty = 0.5f + unit();
  if (rng.below(4) == 0) params.presence_penalty = 2 * unit() - 1;
  if (rng.below(4) == 0) params.frequency_penalty = 2 * unit() - 1;
  if (rng.below(4) == 0) params.logit_bias[static_cast<std::int32_t>(rng.below(vocab))] = 10 * unit() - 5;
  params.seed = rng.next();
  params.logprobs = rng.below(8) == 0 ? static_cast<int>(rng.below(std::min<std::size_t>(vocab, 5) + 1)) : -1;
  return params;
}

}  // namespace

TEST_CASE("all rungs give the same token on 100,000 random rows", "[.long]") {
  Rng rng(5);
  int drawn_below_top = 0;
  for (int round = 0; round < 100; ++round) {
    // Around the block size of the simd rung, and now and then a vocabulary of many blocks.
    const std::size_t vocab = round % 10 == 9 ? 3000 + rng.below(9000) : 1 + rng.below(300);
    const auto rungs = all_rungs(static_cast<int>(vocab));
    const int draws = vocab > 1000 ? 100 : 1100;  // 100,000 together
    for (int i = 0; i < draws; ++i) {
      const auto logits = random_logits(rng, vocab);
      const auto params = random_params(rng, vocab);
      Ids prompt, generated;
      for (auto n = rng.below(6); n > 0; --n) prompt.push_back(static_cast<std::int32_t>(rng.below(vocab)));
      for (auto n = rng.below(6); n > 0; --n)
        generated.push_back(static_cast<std::int32_t>(rng.below(vocab)));
      const auto step = rng.below(1000);
      const TokenMask mask = random_mask(rng, logits);
      const SampleRow row{logits, prompt, generated, &params, step, rng.below(3) == 0 ? &mask : nullptr};
      const SampledToken expected = rungs[0].second->sample(row);
      if (row.allowed != nullptr) REQUIRE(mask.allows(expected.token));
      drawn_below_top +=
          logits[static_cast<std::size_t>(expected.token)] < *std::max_element(logits.begin(), logits.end());
      for (std::size_t r = 1; r < rungs.size(); ++r) {
        const SampledToken got = rungs[r].second->sample(row);
        INFO("rung " << rungs[r].first << ", round " << round << ", draw " << i << ", vocab " << vocab
                     << ", temperature " << params.temperature << ", top_k " << params.top_k << ", top_p "
                     << params.top_p << ", min_p " << params.min_p << ", typical_p " << params.typical_p);
        REQUIRE(got.token == expected.token);
        REQUIRE(got.logprob == expected.logprob);
        REQUIRE(got.top.size() == expected.top.size());
        for (std::size_t j = 0; j < got.top.size(); ++j) REQUIRE(got.top[j].token == expected.top[j].token);
      }
    }
  }
  CHECK(drawn_below_top > 20'000);  // the rows were not all trivial
}

TEST_CASE("a draw depends on seed and step, not on history or on earlier calls") {
  constexpr int kVocab = 500;
  std::vector<float> logits(kVocab);
  Rng rng(6);
  for (float& x : logits) x = static_cast<float>(rng.normal());
  SamplingParams params = plain();
  for (const auto& [name, sampler] : all_rungs(kVocab)) {
    INFO("rung " << name);
    std::map<std::int32_t, int> by_step, by_seed;
    for (std::uint64_t i = 0; i < 50; ++i) {
      params.seed = 3;
      const auto token = sampler->sample({logits, {}, {}, &params, i}).token;
      ++by_step[token];
      CHECK(sampler->sample({logits, Ids{1, 2}, Ids{token, 4}, &params, i}).token == token);
      CHECK(registry().ladder<Sampler>().make(name, {kVocab})->sample({logits, {}, {}, &params, i}).token ==
            token);
      params.seed = i;
      ++by_seed[sampler->sample({logits, {}, {}, &params, 3}).token];
    }
    CHECK(by_step.size() > 25);
    CHECK(by_seed.size() > 25);
  }
}

TEST_CASE("only allowed tokens are drawn, and the shares among them stay") {
  // Between 0.2 and 0.1 the tokens of 0.4 and 0.3 are left out: 2/3 and 1/3.
  const std::vector<float> logits = logs({0.4, 0.2, 0.3, 0.1});
  TokenMask mask(4);
  mask.allow(1);
  mask.allow(3);
  SamplingParams params = plain();
  params.logprobs = 0;
  constexpr int kDraws = 20'000;
  for (const auto& rung : all_rungs(4)) {
    INFO("rung " << rung.first);
    Sampler& sampler = *rung.second;
    int ones = 0;
    for (std::uint64_t step = 0; step < kDraws; ++step) {
      const SampledToken got = sampler.sample({logits, {}, {}, &params, step, &mask});
      REQUIRE(mask.allows(got.token));
      REQUIRE(got.logprob ==
              Approx(std::log(got.token == 1 ? 0.2 : 0.1)).epsilon(1e-5));  // of the raw logits
      ones += got.token == 1;
    }
    CHECK(std::fabs(ones - kDraws * 2.0 / 3) <= 5 * std::sqrt(kDraws * 2.0 / 9));
    SamplingParams greedy = params;
    greedy.temperature = 0;
    CHECK(sampler.sample({logits, {}, {}, &greedy, 0, &mask}).token == 1);
    const TokenMask nothing(4), small(3);
    CHECK(sentence_of([&] {
            sampler.sample({logits, {}, {}, &params, 0, &nothing});
          }).find("all 4 tokens are masked") == 0);
    CHECK(sentence_of([&] {
            sampler.sample({logits, {}, {}, &params, 0, &small});
          }) == "a mask of 3 tokens was given to a sampler for a vocabulary of 4");
  }
}

TEST_CASE("rows of one step are drawn as if each were alone") {
  constexpr int kVocab = 130, kRows = 5;
  Rng rng(12);
  std::vector<std::vector<float>> logits(kRows, std::vector<float>(kVocab));
  for (auto& row : logits) {
    for (float& x : row) x = static_cast<float>(rng.normal());
  }
  for (const auto& [name, sampler] : all_rungs(kVocab)) {
    INFO("rung " << name);
    std::vector<SamplingParams> params(kRows, plain());
    std::vector<SampleRow> rows;
    const Ids history = {1, 2, 2};
    for (std::size_t i = 0; i < kRows; ++i) {
      params[i].seed = i;
      params[i].temperature = i == 2 ? 0.0f : 1.0f;
      params[i].repetition_penalty = i == 3 ? 2.0f : 1.0f;
      rows.push_back({logits[i], history, {}, &params[i], 7 + i});
    }
    std::vector<SampledToken> tokens(kRows);
    sampler->sample(rows, tokens);
    for (std::size_t i = 0; i < kRows; ++i) CHECK(tokens[i].token == sampler->sample(rows[i]).token);
  }
}

TEST_CASE("log-probabilities are of the raw logits, best first, lower id first among equals") {
  const std::vector<float> logits = logs({0.1, 0.3, 0.1, 0.3, 0.2});
  SamplingParams params = plain();
  params.temperature = 0;
  params.logit_bias = {{2, 100.0f}};  // decides the token, not its log-probability
  params.logprobs = 4;
  for (const auto& [name, sampler] : all_rungs(5)) {
    INFO("rung " << name);
    const SampledToken got = sampler->sample({logits, {}, {}, &params, 0});
    CHECK(got.token == 2);
    CHECK(got.logprob == Approx(std::log(0.1)).epsilon(1e-6));
    REQUIRE(got.top.size() == 4);
    const Ids order = {1, 3, 4, 0};
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(got.top[i].token == order[i]);
      CHECK(got.top[i].logprob ==
            Approx(static_cast<double>(logits[static_cast<std::size_t>(order[i])])).epsilon(1e-6));
    }
    params.logprobs = 0;
    CHECK(sampler->sample({logits, {}, {}, &params, 0}).top.empty());
    params.logprobs = 4;
  }
}
