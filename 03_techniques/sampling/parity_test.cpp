// Distributions of Hugging Face's logits processors (golden/make_golden.py) against the oracle and every
// rung.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/rng.hpp"
#include "oracle.hpp"
#include "sampling.hpp"
#include "testing/catch.hpp"

using namespace rung;

TEST_CASE("filters keep what Hugging Face's keep", "[parity]") {
  std::ifstream file(rung::testing::source_file("03_techniques/sampling/golden/filters.json"));
  REQUIRE(file.good());
  const auto golden = nlohmann::json::parse(file);
  REQUIRE(golden["cases"].size() >= 60);
  Registry registry;
  sampling::register_rungs(registry);
  const Ladder<Sampler>& ladder = registry.ladder<Sampler>();

  for (const auto& item : golden["cases"]) {
    const std::string name = item["name"];
    const std::vector<float> logits = item["logits"];
    const std::vector<std::int32_t> prompt = item["prompt"];
    const auto& given = item["params"];
    SamplingParams params;
    params.temperature = given.value("temperature", 1.0f);
    params.top_k = given.value("top_k", 0);
    params.top_p = given.value("top_p", 1.0f);
    params.min_p = given.value("min_p", 0.0f);
    params.typical_p = given.value("typical_p", 1.0f);
    params.repetition_penalty = given.value("repetition_penalty", 1.0f);

    sampling::Distribution expected;
    expected.probability.assign(logits.size(), 0.0);
    for (const auto& [id, p] : item["kept"].items()) expected.probability[std::stoul(id)] = p.get<double>();

    // Theirs computes in float32: a logit of 10 has an error of 1e-6, a probability the same share of itself.
    const auto ours = sampling::oracle(logits, prompt, {}, params);
    expected.tolerance = ours.tolerance + 1e-8;  // the golden file has nine digits
    for (std::size_t i = 0; i < logits.size(); ++i) {
      INFO(name << ", token " << i << ": expected " << expected.probability[i] << ", got "
                << ours.probability[i]);
      REQUIRE((expected.probability[i] > 0) == (ours.probability[i] > 0));
      REQUIRE(std::fabs(expected.probability[i] - ours.probability[i]) <= expected.tolerance);
    }
    for (const RungInfo& rung : ladder.rungs()) {
      if (rung.exercise) continue;
      const auto sampler = ladder.make(rung.name, {static_cast<int>(logits.size())});
      for (std::uint64_t step = 0; step < 1000; ++step) {
        const auto token = sampler->sample({logits, prompt, {}, &params, step}).token;
        INFO("rung " << rung.name << ", " << name << ", step " << step << ", token " << token);
        REQUIRE(expected.accepts(token, Rng(params.seed, step).uniform()));
      }
    }
  }
}
