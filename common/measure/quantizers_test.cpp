// The rungs of seam quantizer in `rung quantize`: which rung is called, and what the quantized model
// computes.

#include "catalog/quantizers.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "catalog/variants.hpp"
#include "files/gguf.hpp"
#include "measure/perplexity.hpp"
#include "seams/linear.hpp"
#include "testing/catch.hpp"
#include "testing/damage.hpp"

using namespace rung;

namespace {

std::string write_as(const std::string& from, const std::string& rung, const std::string& type) {
  const std::string path = testing::scratch_file(fmt::format("quantizers_{}_{}.gguf", rung, type));
  quantize(from, path, quantize_target(type), 2, {}, nullptr, quantizer_choice(variants(), rung));
  return path;
}

/// Rounds its inputs as the integer kernels do, then multiplies in float32: 32 columns at a time to multiples
/// of their largest magnitude / 127.
class RoundedInputs final : public Linear {
 public:
  explicit RoundedInputs(std::unique_ptr<Linear> usual) : usual_(std::move(usual)) {}

  void apply(const Tensor& x, const Tensor& y) override {
    constexpr std::int64_t kColumns = 32;
    std::vector<float> rounded(static_cast<std::size_t>(x.size()));
    for (std::int64_t t = 0; t < x.rows; ++t) {
      for (std::int64_t begin = 0; begin < x.cols; begin += kColumns) {
        const float* from = x.ptr<float>(t) + begin;
        float* to = rounded.data() + t * x.cols + begin;
        float largest = 0;
        for (std::int64_t i = 0; i < kColumns; ++i) largest = std::max(largest, std::fabs(from[i]));
        const float inverse = largest < 1e-30f ? 0.0f : 127.0f / largest;
        for (std::int64_t i = 0; i < kColumns; ++i)
          to[i] = std::nearbyint(from[i] * inverse) * (largest / 127.0f);
      }
    }
    usual_->apply(Tensor(rounded.data(), DType::f32, x.rows, x.cols), y);
  }

 private:
  std::unique_ptr<Linear> usual_;
};

Registry with_rounded_inputs() {
  Registry registry = make_variants();
  Ladder<Linear>& ladder = registry.ladder<Linear>();
  Rung<Linear> rounded;
  rounded.info = {"rounded_inputs", "common/measure/quantizers_test.cpp", "x rounded, then float32", false,
                  false};
  rounded.make = [&ladder](const LinearConfig& config) {
    return std::make_unique<RoundedInputs>(ladder.make("simd", config));
  };
  ladder.add(rounded);
  return registry;
}

/// Perplexity on a story of the golden files, with the divergence from `reference` where there is one.
PerplexityResult measure(const Registry& registry, const std::string& path, const std::string& linear,
                         const std::string& save, const std::string& reference) {
  const auto model = std::make_shared<const Model>(load_model(path));
  PerplexityOptions options;
  options.ctx = 64;
  options.save = save;
  options.reference = reference;
  EngineConfig config = exact_config();
  config.threads = 1;  // the same bits as with more
  config.context = options.ctx;
  config.max_sequences = 4;
  config.max_step_outputs = 256;
  config.rungs["linear"] = linear;
  Engine engine(model, registry, config);
  const auto story =
      nlohmann::json::parse(testing::read_bytes(testing::source_file("models/golden/long.json")));
  return measure_perplexity(engine, model->tokenizer->encode(story["prompt"].get<std::string>(), true),
                            options);
}

}  // namespace

// What a format costs is the rounding of its weights and nothing else: with the same weights as float32 the
// predictions are the same. The integer kernels round x too: what they add is as large as that.
TEST_CASE("a quantized model predicts what its weights, as float32, predict") {
  const std::string tiny = testing::source_file("models/tiny.gguf");
  const std::string original = testing::scratch_file("quantizers_original.rungref");
  const std::string own = testing::scratch_file("quantizers_own.rungref");
  const Registry registry = with_rounded_inputs();
  measure(registry, write_as(tiny, "auto", "f32"), "simd", original, "");
  for (const char* type : {"f16", "bf16", "q8_0", "q4_0", "q4_1", "q4_k", "q5_k", "q6_k", "iq4_nl"}) {
    const std::string quantized = write_as(tiny, "auto", type);
    const std::string weights = testing::scratch_file("quantizers_weights.gguf");
    quantize(quantized, weights, DType::f32, 2);
    const PerplexityResult in_float = measure(registry, weights, "simd", own, "");
    const DivergenceResult cost = *measure(registry, weights, "simd", "", original).divergence;
    const DivergenceResult kernel = *measure(registry, quantized, "simd", "", own).divergence;
    INFO(fmt::format(
        "{}: perplexity {:.4f}, KL from float32 {:.3g}; its kernels differ by {:.3g} nats, KL {:.3g}", type,
        in_float.ppl(), cost.kl, kernel.nll_difference, kernel.kl));
    CHECK(in_float.predicted > 200);
    CHECK(std::fabs(kernel.nll_difference) < 1e-5);
    CHECK(kernel.kl < 1e-7);  // a reference file's own rounding is 3e-8
    const std::string name(type);
    if (name == "f16") {  // as tiny is stored: nothing is rounded
      CHECK(cost.kl < 1e-7);
      continue;
    }
    CHECK(cost.kl > 1e-6);
    if (name != "q8_0" && name != "q4_0" && name != "q4_k") continue;

    // A difference in the last bit moves a few inputs to another step, which moves others in the next layer:
    // two computations that round alike agree in how far they are from the exact one, not in where.
    const DivergenceResult integers = *measure(registry, quantized, "int8", "", own).divergence;
    const DivergenceResult rounded = *measure(registry, weights, "rounded_inputs", "", own).divergence;
    INFO(fmt::format("KL {:.3g} by integer kernels, {:.3g} by rounding x alone", integers.kl, rounded.kl));
    CHECK(integers.kl > 1e-5);
    CHECK(integers.kl < 1.4 * rounded.kl);
    CHECK(rounded.kl < 1.4 * integers.kl);
  }
}

TEST_CASE("each tensor is rounded by the rung that was chosen, with weights where it can use them") {
  const Registry& registry = variants();
  const auto name = [&](const char* rung, DType type, bool weighted) {
    return quantizer_choice(registry, rung)(type, weighted).name;
  };
  CHECK(name("auto", DType::q4_k, false) == "search");
  CHECK(name("auto", DType::q4_k, true) == "weighted");
  CHECK(name("absmax", DType::q4_k, false) == "absmax");
  CHECK(name("exact,auto", DType::q4_k, false) == "search");
  CHECK_FALSE(quantizer_choice(registry, "absmax")(DType::q4_k, true).run);  // asked again without
  CHECK_FALSE(quantizer_choice(registry, "auto")(DType::mxfp4, true).run);
  CHECK_THROWS_WITH(name("exact", DType::q4_k, false), testing::contains("rung 'exact'"));
  CHECK(can_quantize(registry, "weighted", DType::q4_0, true));
  CHECK_FALSE(can_quantize(registry, "weighted", DType::q4_0, false));
  CHECK_FALSE(can_quantize(registry, "auto", DType::f16, true));
  CHECK_THROWS_AS(can_quantize(registry, "best", DType::q4_0, true), UsageError);
}

TEST_CASE("a rung that fails fails the job, with its own sentence") {
  const QuantizerChoice choose = [](DType, bool) {
    return RowQuantizer{"broken",
                        [](const float*, const float*, void*, std::int64_t) { fail("no row today"); }};
  };
  CHECK_THROWS_WITH(
      quantize(testing::source_file("models/tiny.gguf"), testing::scratch_file("quantizers_broken.gguf"),
               quantize_target(DType::q4_0), 2, {}, nullptr, choose),
      "no row today");
}

TEST_CASE("a better rung gives a smaller error in the same number of bytes") {
  const std::string tiny = testing::source_file("models/tiny.gguf");
  const auto original = Gguf::open(tiny);
  const auto error_of = [&](const std::string& path) {
    const auto gguf = Gguf::open(path);
    double error = 0;
    for (const GgufTensor& tensor : original->tensors()) {
      const Tensor &a = tensor.view, &b = gguf->find_tensor(tensor.name)->view;
      std::vector<float> x(static_cast<std::size_t>(a.size())), y(x.size());
      traits(a.dtype).to_float(a.data, x.data(), a.size());
      traits(b.dtype).to_float(b.data, y.data(), b.size());
      for (std::size_t i = 0; i < x.size(); ++i) error += std::pow(double{x[i]} - double{y[i]}, 2);
    }
    return error;
  };
  const double absmax = error_of(write_as(tiny, "absmax", "q4_0"));
  const double search = error_of(write_as(tiny, "search", "q4_0"));
  const double exact = error_of(write_as(tiny, "exact", "q4_0"));
  INFO("absmax " << absmax << ", search " << search << ", exact " << exact);
  CHECK(search < 0.95 * absmax);
  CHECK(exact < search);
}
