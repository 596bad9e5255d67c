// A step takes no memory: all that a forward pass needs was taken when it was built.

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "engine/transformer.hpp"
#include "testing/catch.hpp"
#include "testing/count_allocations.hpp"

using namespace rung;

namespace {

constexpr int kContext = 64, kSequences = 3;

/// The model, its cache, and a batch of the next `count` tokens of each of three sequences.
struct Pass {
  Pass(const char* shape, DType type, const std::map<std::string, std::string>& rungs) {
    const std::string path = testing::scratch_file("allocation_test.gguf");
    synth(path, shape, type, 7, 2);
    model = std::make_unique<Model>(load_model(path));
    EngineConfig config;
    config.threads = 2;
    config.context = config.max_step_tokens = kContext;
    config.max_sequences = kSequences;
    config.rungs = rungs;
    config = resolve_config(variants(), config, *model);
    transformer = std::make_unique<Transformer>(*model, variants(), config, cpu_device());
    kv = variants().ladder<KvCache>().make(config.rung("kv"), kv_config(config, model->config, cpu_device()));
    for (int i = 0; i < kSequences; ++i) REQUIRE(kv->open() == i);
  }
  Batch batch(int begin, int count) const {
    Batch result;
    Rng rng(static_cast<std::uint64_t>(begin));
    for (int seq = 0; seq < kSequences; ++seq) {
      REQUIRE(kv->grow(seq, begin + count));
      append_rows(result, *kv, seq, begin, count, 1, [&](int) {
        return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model->config.vocab_size)));
      });
    }
    return result;
  }

  std::unique_ptr<Model> model;
  std::unique_ptr<Transformer> transformer;
  std::unique_ptr<KvCache> kv;
};

void check_steps(const Pass& pass) {
  int done = 0;
  for (const int count : {13, 1, 7, 1, 1}) {
    const Batch batch = pass.batch(done, count);
    Tensor logits;
    const std::int64_t taken =
        testing::allocations_of([&] { logits = pass.transformer->forward(batch, *pass.kv); });
    INFO(count << " tokens after " << done);
    CHECK(taken == 0);
    CHECK(logits.rows == kSequences);
    done += count;
  }
}

}  // namespace

TEST_CASE("the count sees an allocation") {
  std::vector<float> values;
  CHECK(testing::allocations_of([&] { values.resize(100); }) == (testing::kCountsAllocations ? 1 : 0));
  CHECK(testing::allocations_of([&] { values.resize(50); }) == 0);
}

TEST_CASE("a forward pass with the default rungs allocates nothing, not even the first one") {
  for (const char* shape : {"test-tiny", "test-tiny-moe"}) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0, DType::q4_0}) {
      INFO(shape << " " << traits(type).name);
      check_steps(Pass(shape, type, {}));
    }
  }
}

TEST_CASE("nor does it with any rung of attention, linear or fusion") {
  for (const char* seam : {"attention", "linear", "fusion"}) {
    for (const RungInfo& rung : variants().find(seam).rungs()) {
      if (rung.exercise || rung.name == "onednn") continue;  // a library, which allocates in its calls
      const bool bf16 = rung.name.starts_with("bf16");
      const bool integers = rung.name == "int8" || rung.name == "packed";
      const DType type = bf16 ? DType::bf16 : integers ? DType::q4_0 : DType::f32;
      INFO(seam << " " << rung.name);
      try {
        check_steps(Pass("test-tiny", type, {{seam, rung.name}}));
      } catch (const Error& error) {  // this processor lacks its instructions
        CHECK_THAT(error.what(), testing::contains(rung.name));
        CHECK(bf16);
      }
    }
  }
}
