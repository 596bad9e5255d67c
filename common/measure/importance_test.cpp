// Importance: the recorded inputs against a float64 computation, the experts' slices, and what a quantizer
// gains.

#include "measure/importance.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "catalog/quantizers.hpp"
#include "catalog/variants.hpp"
#include "convert/quantize.hpp"
#include "convert/synth.hpp"
#include "files/gguf.hpp"
#include "measure/perplexity.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;

namespace {

const std::vector<float>& of(const Importance& importance, const std::string& name) {
  const auto found = importance.mean_squares.find(name);
  INFO(name);
  REQUIRE(found != importance.mean_squares.end());
  return found->second;
}

std::string synth_model(const std::string& shape) {
  const std::string path = testing::scratch_file("importance_" + shape + ".gguf");
  synth(path, shape, DType::f32, 7, 2);
  return path;
}

/// Divergence of `tiny` in q2_k, with or without importance, from itself.
double divergence(const Importance* importance) {
  const std::string tiny = testing::source_file("models/tiny.gguf");
  const std::string quantized = testing::scratch_file("importance_q2_k.gguf");
  const QuantizeResult result = quantize(tiny, quantized, quantize_target(DType::q2_k), 2, {}, importance,
                                         quantizer_choice(variants(), "auto"));
  CHECK(result.weighted ==
        (importance == nullptr ? 0 : 6 * 7 + 1));  // seven matrices per layer, and the embedding
  PerplexityOptions options;
  options.ctx = 48;
  options.stride = 32;
  double kl = 0;
  for (const std::string& path : {tiny, quantized}) {
    const auto model = std::make_shared<const Model>(load_model(path));
    const auto story =
        nlohmann::json::parse(testing::read_bytes(testing::source_file("models/golden/long.json")));
    EngineConfig config;
    config.threads = 2;
    config.context = options.ctx;
    config.max_step_outputs = 64;
    Engine engine(model, variants(), config);
    const std::string reference = testing::scratch_file("importance.rungref");
    options.save = path == tiny ? reference : "";
    options.reference = path == tiny ? "" : reference;
    const auto measured = measure_perplexity(
        engine, model->tokenizer->encode(story["prompt"].get<std::string>(), true), options);
    if (measured.divergence) kl = measured.divergence->kl;
  }
  return kl;
}

}  // namespace

TEST_CASE("what is recorded are the inputs: those of the first layer, computed again in float64") {
  const std::string path = synth_model("test-tiny");
  const std::string text = "Some words, and then some more of them: enough for three windows.";
  ImportanceOptions options;
  options.ctx = 10;
  options.threads = 2;
  const Importance importance = measure_importance(path, text, options);

  const Model model = load_model(path);
  auto ids = model.tokenizer->encode(text, true);
  REQUIRE(ids.size() > 25);
  if (ids.size() % 10 == 1) ids.pop_back();  // a window of one token has nothing to predict, and is left out
  CHECK(importance.windows == (ids.size() + 9) / 10);
  CHECK(importance.tokens == ids.size());
  const auto dim = static_cast<std::size_t>(model.config.dim);
  std::vector<double> expected(dim, 0.0);
  for (const std::int32_t id : ids) {
    const float* x = model.weights.token_embedding.ptr<float>(id);
    const float* norm = model.weights.layers[0].attn_norm.weight.ptr<float>();
    double square = 0;
    for (std::size_t c = 0; c < dim; ++c)
      square += static_cast<double>(x[c]) * x[c] / static_cast<double>(dim);
    for (std::size_t c = 0; c < dim; ++c) {
      const double normed = x[c] / std::sqrt(square + static_cast<double>(model.config.norm_eps)) * norm[c];
      expected[c] += normed * normed / static_cast<double>(ids.size());
    }
  }
  const std::vector<float>& got = of(importance, "blk.0.attn_q.weight");
  REQUIRE(got.size() == dim);
  for (std::size_t c = 0; c < dim; ++c) CHECK(got[c] == Approx(expected[c]).epsilon(1e-4));
  // Products of the same input record the same.
  CHECK(of(importance, "blk.0.attn_k.weight") == got);
  CHECK(of(importance, "blk.0.attn_v.weight") == got);
  CHECK(of(importance, "blk.1.ffn_gate.weight") == of(importance, "blk.1.ffn_up.weight"));
  CHECK(of(importance, "blk.1.ffn_gate.weight") != got);
  CHECK(importance.mean_squares.count("blk.0.attn_norm.weight") == 0);
}

TEST_CASE("experts have a slice each, and weights are of mean one") {
  const std::string path = synth_model("test-tiny-moe");
  const Importance importance = measure_importance(path, "One, two, three, four, five and six went out.", {});
  const auto model = load_model(path);
  const auto experts = static_cast<std::size_t>(model.config.experts);
  REQUIRE(experts > 1);
  for (const auto& [name, cols] : {std::pair{"blk.0.ffn_gate_exps.weight", model.config.dim},
                                   {"blk.0.ffn_down_exps.weight", model.config.ffn_dim}}) {
    const std::vector<float>& squares = of(importance, name);
    const auto width = static_cast<std::size_t>(cols);
    REQUIRE(squares.size() == experts * width);
    CHECK(std::vector<float>(squares.begin(), squares.begin() + cols) !=
          std::vector<float>(squares.begin() + cols, squares.begin() + 2 * cols));
    const std::vector<float> weights = importance.weights(name, cols);
    for (std::size_t e = 0; e < experts; ++e) {
      double sum = 0;
      for (std::size_t c = 0; c < width; ++c) {
        sum += static_cast<double>(weights[e * width + c]);
        CHECK(weights[e * width + c] >= 0.0099f);
      }
      CHECK(sum / static_cast<double>(width) == Approx(1).epsilon(1e-5));
    }
  }
  // An expert that nobody was sent to counts all of its columns the same.
  Importance idle;
  idle.mean_squares["x"] = {0, 0, 1, 3};
  CHECK(idle.weights("x", 2) == std::vector<float>{1, 1, 0.505f, 1.495f});
  CHECK(idle.weights("y", 2).empty());
}

TEST_CASE("a model rounded by its inputs diverges less, on a text that it was not measured on") {
  const std::string text = testing::read_bytes(testing::source_file("README.md"));
  const Importance importance = measure_importance(testing::source_file("models/tiny.gguf"), text, {});
  const double with = divergence(&importance), without = divergence(nullptr);
  INFO("KL " << with << " with importance, " << without << " without");
  CHECK(without > 0.1);
  CHECK(with < 0.95 * without);
}

TEST_CASE("a text without a token to predict is refused") {
  CHECK_THROWS_WITH(measure_importance(testing::source_file("models/tiny.gguf"), "", {}),
                    "the calibration text has 1 tokens; give at least two");
}
