// Every rung against the counting oracle, the fit against what makes a fit the best one, and what the lesson
// says about the knee.

#include <limits>

#include "core/rng.hpp"
#include "latency_throughput.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::latency_throughput;

namespace {

const Ladder<StepCost>& ladder() { return testing::ladder_of<StepCost, register_rungs>(); }

/// Llama 3 8B in 16 bits on an H100 by its data sheet: 3.35 TB/s, 990 TFLOP/s.
StepCostConfig h100() {
  StepCostConfig config;
  config.model.name = "8B";
  config.model.layer_weights = 8e9;
  config.model.layer_bytes = 16e9;
  config.model.attention = {{0, 131072, 4.0 * 32 * 32 * 128}};
  config.limits = {3.35e12, 990e12, 990e12};
  return config;
}

double seconds(const char* rung, const StepCostConfig& config, std::vector<StepSequence> batch) {
  return ladder().make(rung, config)->seconds(batch).total();
}

std::vector<StepSequence> decode(int sequences, std::int32_t context) {
  return std::vector<StepSequence>(static_cast<std::size_t>(sequences), StepSequence{1, context, true});
}

}  // namespace

TEST_CASE("every rung gives its oracle's seconds") {
  testing::judge_all(testing::registry_of<register_rungs>(), "step_cost");
}

TEST_CASE("a batch costs what one sequence costs, up to the knee") {
  const StepCostConfig config = h100();
  // 990e12 / 3.35e12 flops per byte, 2 bytes and 2 flops per weight: 295.5 tokens.
  CHECK(seconds("roofline", config, decode(295, 1)) == seconds("roofline", config, decode(1, 1)));
  CHECK(seconds("roofline", config, decode(296, 1)) > seconds("roofline", config, decode(1, 1)));
  CHECK(seconds("roofline", config, decode(592, 1)) ==
        Approx(2 * seconds("roofline", config, decode(296, 1))));
  CHECK(seconds("weights", config, decode(592, 1)) == seconds("weights", config, decode(1, 1)));
}

TEST_CASE("nobody shares keys and values: at long contexts a batch pays for each") {
  const StepCostConfig config = h100();
  const double one = ladder().make("roofline_kv", config)->seconds(decode(1, 8192)).attention;
  CHECK(one == Approx(8192 * 131072 / 3.35e12));
  CHECK(ladder().make("roofline_kv", config)->seconds(decode(64, 8192)).attention == Approx(64 * one));
}

TEST_CASE("a prompt in chunks has as many pairs as the whole prompt, in any cut and with any window") {
  for (const int window : {0, 1, 10, 64, 100, 1000}) {
    for (const std::int32_t chunk : {1, 7, 64, 300}) {
      double sum = 0;
      for (std::int32_t at = 0; at < 300; at += chunk) {
        const std::int32_t count = std::min(chunk, 300 - at);
        sum += pairs({count, at + count, false}, window);
      }
      INFO("window " << window << ", chunk " << chunk);
      CHECK(sum == pairs({300, 300, false}, window));
    }
  }
}

TEST_CASE("the fit of noisy steps cannot be improved in any direction that is allowed") {
  StepCostConfig config = h100();
  Rng rng(7);
  for (int trial = 0; trial < 20; ++trial) {
    config.samples.clear();
    for (int i = 0; i < 30; ++i) {
      const auto count = static_cast<std::int32_t>(1 + rng.below(200));
      const auto before = static_cast<std::int32_t>(rng.below(3000));
      StepSample sample{{{count, before + count, rng.below(2) == 0}}, 0};
      const Features f = features(config.model, sample.batch);
      // A step that costs nothing but attention, and a negative price for logits: the fit must hold at zero.
      sample.seconds = (1e-4 * f[1] + f[3] / 1e11 + f[4] / 1e13) * (0.7 + 0.6 * rng.uniform());
      config.samples.push_back(sample);
    }
    const Features c = fit(config.model, config.samples);
    int zeros = 0;
    for (std::size_t i = 0; i < kFeatures; ++i) {
      double slope = 0, scale = 0;  // of the squared error, along coefficient i
      for (const StepSample& sample : config.samples) {
        const Features f = features(config.model, sample.batch);
        double predicted = 0;
        for (std::size_t j = 0; j < kFeatures; ++j) predicted += c[j] * f[j];
        slope += f[i] / sample.seconds * (predicted / sample.seconds - 1);
        scale += std::fabs(f[i] / sample.seconds);
      }
      INFO("trial " << trial << ", " << kFeatureNames[i] << ": coefficient " << c[i] << ", slope "
                    << slope / scale);
      CHECK(c[i] >= 0);
      CHECK(slope / scale >= -1e-6);
      if (c[i] > 0) CHECK(slope / scale <= 1e-6);
      zeros += c[i] == 0;
    }
    CHECK(zeros < static_cast<int>(kFeatures));
  }
}

TEST_CASE("steps that are all alike still give a fit: it repeats them") {
  StepCostConfig config = h100();
  for (int i = 0; i < 6; ++i) config.samples.push_back({decode(4, 100), 0.01});
  CHECK(seconds("fitted", config, decode(4, 100)) == Approx(0.01));
}

TEST_CASE("auto is what was measured, where it was measured") {
  StepCostConfig config = h100();
  CHECK(ladder().choose("auto", config).info.name == "roofline_kv");
  for (int i = 1; i < 7; ++i) config.samples.push_back({decode(i, 100), 0.01 * i});
  CHECK(ladder().choose("auto", config).info.name == "fitted");
}

TEST_CASE("what cannot be is said in a sentence") {
  using testing::contains;
  const StepCostConfig good = h100();
  const auto cost = ladder().make("roofline_kv", good);
  const auto ask = [&](StepSequence s) { return cost->seconds(std::vector{s}); };
  CHECK_THROWS_WITH(ask({0, 5, true}), contains("a sequence of 0 new tokens within 5"));
  CHECK_THROWS_WITH(ask({6, 5, true}), contains("a sequence of 6 new tokens within 5"));
  CHECK_THROWS_AS(ask({1, kMaxStepContext + 1, true}), UsageError);
  CHECK(cost->seconds({}).total() == 0);
  StepCostConfig bad = good;
  bad.limits.read_bytes_per_s = 0;
  CHECK_THROWS_WITH(ladder().make("weights", bad), contains("read bandwidth"));
  bad = good;
  bad.model.layer_bytes = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(ladder().make("weights", bad), contains("bytes in the layers"));
  bad = good;
  bad.samples = {{decode(1, 1), -1}};
  CHECK_THROWS_WITH(ladder().make("weights", bad), contains("a measured step"));
  CHECK_THROWS_WITH(ladder().make("fitted", good), contains("does not support"));
}
