// Bad logits, rows, ids and parameters: a sentence from every rung, never an arbitrary token.

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "sampling.hpp"
#include "test_support.hpp"
#include "testing/catch.hpp"

using namespace rung;
using namespace rung::sampling;

TEST_CASE("logits that are no numbers give a sentence, in every rung and at every place") {
  for (const int vocab : {1, 5, 64, 200}) {
    for (const auto& rung : all_rungs(vocab)) {
      Sampler& sampler = *rung.second;
      for (const float temperature : {0.0f, 1.0f}) {
        SamplingParams params = plain();
        params.temperature = temperature;
        const auto say = [&](const std::vector<float>& logits) {
          return sentence_of([&] { sampler.sample({logits, {}, {}, &params, 0}); });
        };
        const auto size = static_cast<std::size_t>(vocab);
        for (std::size_t i = 0; i < size; ++i) {
          std::vector<float> logits(size, 0.0f);
          logits[i] = std::numeric_limits<float>::quiet_NaN();
          REQUIRE(say(logits).find(fmt::format("the logit of token {} is nan", i)) == 0);
          logits[i] = HUGE_VALF;
          REQUIRE(say(logits).find(fmt::format("the logit of token {} is inf", i)) == 0);
          logits.assign(size, -HUGE_VALF);
          REQUIRE(say(logits).find(fmt::format("all {} tokens are masked", vocab)) == 0);
          logits[i] = -5;  // the only one that may be drawn
          REQUIRE(sampler.sample({logits, {}, {}, &params, 0}).token == static_cast<std::int32_t>(i));
        }
      }
      // Penalties that leave the range of float32.
      SamplingParams params = plain();
      params.repetition_penalty = 1e-30f;
      const std::vector<float> logits(static_cast<std::size_t>(vocab), 1e20f);
      CHECK(sentence_of([&] {
              sampler.sample({logits, Ids{0}, {}, &params, 0});
            }).find("the logit of token 0 is inf") == 0);
    }
  }
}

TEST_CASE("rows and ids that do not fit the vocabulary give a sentence") {
  for (const auto& rung : all_rungs(5)) {
    Sampler& sampler = *rung.second;
    INFO("rung " << rung.first);
    SamplingParams params = plain();
    params.repetition_penalty = 1.5f;
    const std::vector<float> logits(5, 0.0f);
    CHECK(sentence_of([&] {
            sampler.sample({std::span(logits).first(4), {}, {}, &params, 0});
          }) == "a row of 4 logits was given to a sampler for a vocabulary of 5");
    for (const std::int32_t bad : {-1, 5, 1 << 30}) {
      CHECK(sentence_of([&] {
              sampler.sample({logits, Ids{bad}, {}, &params, 0});
            }) == fmt::format("the sequence holds token {}; this model's tokens are 0 to 4", bad));
      CHECK(sentence_of([&] {
              sampler.sample({logits, {}, Ids{bad}, &params, 0});
            }).find("the sequence holds") == 0);
    }
    for (const int vocab : {0, -1, 1 << 20}) {
      CHECK(sentence_of([&] {
              registry().ladder<Sampler>().make(rung.first, {vocab});
            }).find("it takes 1 to 1048575") != std::string::npos);
    }
  }
}

TEST_CASE("validate() refuses each parameter out of range, NaN included, and names it") {
  SamplingParams().validate(10);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = HUGE_VALF;
  const auto refuses = [](const std::string& name, auto member, auto values) {
    for (const auto value : values) {
      SamplingParams params;
      params.*member = value;
      INFO(name << " = " << value);
      CHECK_THROWS_AS(params.validate(10), UsageError);
      const std::string sentence = sentence_of([&] { params.validate(10); });
      CHECK(sentence.find(fmt::format("{} is {}; it must be", name, value)) == 0);
    }
  };
  using F = std::vector<float>;
  refuses("temperature", &SamplingParams::temperature, F{-0.1f, nan, inf, -inf});
  refuses("top_k", &SamplingParams::top_k, std::vector<int>{-1, -1000});
  refuses("top_p", &SamplingParams::top_p, F{0, -0.5f, 1.01f, nan, inf});
  refuses("min_p", &SamplingParams::min_p, F{-0.1f, 1, 2, nan, inf});
  refuses("typical_p", &SamplingParams::typical_p, F{0, -1, 1.5f, nan, inf});
  refuses("repetition_penalty", &SamplingParams::repetition_penalty, F{0, -1, nan, inf});
  refuses("presence_penalty", &SamplingParams::presence_penalty, F{nan, inf, -inf});
  refuses("frequency_penalty", &SamplingParams::frequency_penalty, F{nan, inf, -inf});
  refuses("logprobs", &SamplingParams::logprobs, std::vector<int>{-2, 11});
  for (const std::int32_t id : {-1, 10, 1 << 30}) {
    SamplingParams params;
    params.logit_bias[id] = 1;
    CHECK(sentence_of([&] { params.validate(10); }) ==
          fmt::format("logit_bias names token {}; this model's tokens are 0 to 9", id));
  }
  SamplingParams params;
  params.logit_bias[3] = nan;
  CHECK(sentence_of([&] { params.validate(10); }).find("logit_bias of token 3 is nan; it must be") == 0);
}

// One step further out than parameters alone: the smallest and largest values that are allowed.
TEST_CASE("extreme parameters still give a token that may be drawn") {
  const std::vector<float> logits = {-3e38f, 3e38f, 1, -HUGE_VALF, 2.9e38f, -1e-40f};
  for (const auto& [name, sampler] : all_rungs(6)) {
    for (const float tiny : {std::numeric_limits<float>::denorm_min(), 1e-30f, 0.99999994f}) {
      for (const float temperature : {std::numeric_limits<float>::denorm_min(), 1.0f, 3e38f}) {
        SamplingParams params = plain();
        params.temperature = temperature;
        for (auto member : {&SamplingParams::top_p, &SamplingParams::min_p, &SamplingParams::typical_p}) {
          SamplingParams one = params;
          one.*member = tiny;
          for (std::uint64_t step = 0; step < 20; ++step) {
            const auto token = sampler->sample({logits, {}, {}, &one, step}).token;
            CHECK(token != 3);
            if (temperature <= 1) CHECK(token == 1);
            CHECK(token == all_rungs(6)[0].second->sample({logits, {}, {}, &one, step}).token);
          }
        }
      }
    }
  }
}
