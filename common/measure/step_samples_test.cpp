// What seam step_cost is asked with: the model's numbers against its file, the timed steps against the
// engine.

#include "measure/step_samples.hpp"

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "engine/engine.hpp"
#include "measure/limits.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

std::shared_ptr<const Model> synthetic(const char* shape, DType type) {
  const std::string path = testing::scratch_file(std::string("step_samples_") + shape + ".gguf");
  synth(path, shape, type, 3, 2);
  return std::make_shared<const Model>(load_model(path));
}

}  // namespace

TEST_CASE("a model's bytes and weights are those of its file") {
  const auto model = synthetic("test-tiny", DType::q8_0);
  const StepModel s = step_model(*model, DType::f16);
  const auto& w = model->weights;
  const auto norm = static_cast<double>(w.output_norm.weight.bytes());
  const double table = model->config.tied_embeddings ? 0 : static_cast<double>(w.token_embedding.bytes());
  CHECK(s.layer_bytes + s.output_bytes + norm + table == static_cast<double>(w.bytes()));
  // Every weight of the matrices takes 34/32 bytes; norms are the rest.
  const double norms = (2.0 * model->config.layers + 1) * model->config.dim * 4;
  CHECK((s.layer_weights + s.output_weights) * 34 / 32 == s.layer_bytes + s.output_bytes + norm - norms);
  REQUIRE(s.attention.size() == 1);
  CHECK(s.attention[0].kv_bytes == static_cast<double>(model->config.kv_bytes_per_token(2)));
}

TEST_CASE("a published shape: 16-bit weights, and attention by its heads") {
  const StepModel s = step_model(named_kv_shape("llama-3-8b"), DType::f16);
  CHECK(s.layer_bytes == 2 * s.layer_weights);
  CHECK(s.output_weights == 128256.0 * 4096);
  CHECK(s.layer_weights == 8.03e9 - 2 * s.output_weights);  // without the input embedding
  REQUIRE(s.attention.size() == 1);
  CHECK(s.attention[0].kv_bytes == 131072);
  CHECK(s.attention[0].flops_per_pair == 4.0 * 32 * 32 * 128);
  CHECK(step_model(named_kv_shape("gemma-3-27b"), DType::bf16).attention.size() == 2);
  // Tied: the one table is the output matrix.
  const StepModel tied = step_model(named_kv_shape("gemma-2-9b"), DType::f16);
  CHECK(tied.layer_weights + tied.output_weights == 9.24e9);
  KvShape unknown = named_kv_shape("llama-3-8b");
  unknown.weight_bytes = 0;
  CHECK_THROWS_WITH(step_model(unknown, DType::f16), testing::contains("cannot be planned"));
}

TEST_CASE("a shape counts the weights that the file of this shape has") {
  for (const char* name : {"test-tiny", "test-tiny-moe"}) {
    INFO(name);
    const StepModel file = step_model(*synthetic(name, DType::f16), DType::f16);
    const StepModel shape = step_model(named_kv_shape(name), DType::f16);
    CHECK(shape.output_bytes == file.output_bytes);
    CHECK(shape.expert_bytes == file.expert_bytes);
    CHECK(shape.expert_share == file.expert_share);
    // Norms and routers have 16 bits in a shape and 32 in a file; norms count as weights in a shape only.
    CHECK(shape.layer_bytes == Approx(file.layer_bytes).epsilon(0.03));
    CHECK(shape.layer_weights == Approx(file.layer_weights).epsilon(0.03));
  }
}

TEST_CASE("a published mixture: a token uses its active parameters, many tokens read all experts") {
  const StepModel s = step_model(named_kv_shape("deepseek-v3"), DType::f16);
  const double table = 129280.0 * 7168;
  CHECK(s.layer_weights == Approx(37e9 - 2 * table));
  CHECK(s.layer_bytes + s.expert_bytes + 2 * s.output_bytes == Approx(2 * 671e9));
  // 58 layers of 256 experts with three matrices of 7168 x 2048 each
  CHECK(s.expert_bytes == Approx(2 * 58 * 256 * 3.0 * 7168 * 2048).epsilon(0.01));
}

TEST_CASE("steps are timed as they were run, and leave the engine empty") {
  const auto model = synthetic("test-tiny", DType::f32);
  EngineConfig config;
  config.context = 200;
  config.max_sequences = 4;
  config.max_step_tokens = 64;
  config.threads = 2;
  Engine engine(model, variants(), config);
  double last = 0;
  const std::vector<StepSample> samples = measure_steps(engine, {4, 200, 2}, [&](double done) {
    CHECK(done > last);
    last = done;
  });
  CHECK(last == Approx(1));
  CHECK(engine.stats().cached_tokens == 0);  // the repetitions have the same prompts
  CHECK_FALSE(engine.step());
  int joined = 0, chunks = 0, decode = 0;
  for (const StepSample& s : samples) {
    CHECK(s.seconds > 0);
    int rows = 0, most = 0;
    for (const StepSequence& q : s.batch) {
      CHECK(q.query_count >= 1);
      CHECK(q.context_length >= q.query_count);
      CHECK(q.context_length <= 200);
      rows += q.query_count;
      most = std::max(most, q.query_count);
    }
    CHECK(rows <= 64);
    joined += s.batch.size() > 1 && most > 1;
    chunks += s.batch.size() == 1 && s.batch[0].context_length > s.batch[0].query_count && most > 1;
    decode += most == 1;
  }
  CHECK(joined > 0);
  CHECK(chunks > 0);
  CHECK(decode >= 4);
  // What they are for.
  StepCostConfig cost{step_model(*model, DType::f32), {1e9, 1e9, 1e9}, samples};
  CHECK(variants().ladder<StepCost>().choose("auto", cost).info.name == "fitted");
  CHECK(variants().ladder<StepCost>().make("auto", cost)->seconds(samples[0].batch).total() > 0);
}

TEST_CASE("what rungs of linear multiply, and the rate that limits them") {
  CHECK(arithmetic_of(variants(), "packed") >= Arithmetic::int8);  // or its tiles
  CHECK(arithmetic_of(variants(), "simd+packed") == arithmetic_of(variants(), "packed"));
  CHECK(arithmetic_of(variants(), "panels+simd") == Arithmetic::float32);
  CHECK(arithmetic_of(variants(), "panels+bf16_dot") == Arithmetic::bf16);
  CHECK_THROWS_AS(arithmetic_of(variants(), "unheard"), UsageError);
  MachineLimits limits{.fma_flops_per_s = 1, .int8_ops_per_s = 4, .bf16_flops_per_s = 2};
  CHECK(rate_of(limits, Arithmetic::int8).per_s == 4);
  CHECK(rate_of(limits, Arithmetic::bf16).per_s == 2);
  CHECK(std::string(rate_of(limits, Arithmetic::int8_tiles).name) == "int8_rate");
  CHECK(std::string(rate_of(limits, Arithmetic::bf16_tiles).name) == "bf16_rate");
  limits.int8_tile_ops_per_s = limits.bf16_tile_flops_per_s = 9;
  CHECK(std::string(rate_of(limits, Arithmetic::int8_tiles).name) == "int8_tile_rate");
  CHECK(std::string(rate_of(limits, Arithmetic::bf16_tiles).name) == "bf16_tile_rate");
  CHECK(std::string(rate_of(limits, Arithmetic::int8).name) == "int8_rate");
  limits.bf16_flops_per_s = 0;
  CHECK(rate_of(limits, Arithmetic::bf16).per_s == 1);
  CHECK_THROWS_AS(limits_of_machine(variants(), "unheard", 1), UsageError);
}

TEST_CASE("a share of the nearest limit is one of the limits of its own round") {
  const MachineLimits slow{.read_bytes_per_s = 10, .fma_flops_per_s = 100, .int8_ops_per_s = 400};
  const MachineLimits fast{.read_bytes_per_s = 20, .fma_flops_per_s = 200, .int8_ops_per_s = 800};
  const std::vector<MachineLimits> limits = {slow, fast, fast};
  const NearestLimit memory =
      nearest_limit({.bytes = 100, .flops = 100}, limits, std::vector{20.0, 10.0, 8.0});
  CHECK(std::string(memory.limit.name) == "read_bandwidth");
  CHECK(memory.limit.per_s == 20);
  CHECK(memory.share == 0.5);  // of 0.5, 0.5 and 0.625
  const LimitedWork work{.bytes = 1, .flops = 800, .float32_flops = 200, .arithmetic = Arithmetic::int8};
  const NearestLimit compute = nearest_limit(work, limits, std::vector{8.0, 2.5, 4.0});
  CHECK(std::string(compute.limit.name) == "int8_rate");
  CHECK(compute.limit.per_s == 800);
  CHECK(compute.share == 0.5);  // of 4/8, 2/2.5 and 2/4
}
