// The ladder `fusion` in the engine: the same bits as without it, in every family of models, and where it
// applies.

#include <algorithm>
#include <filesystem>

#include "catalog/variants.hpp"
#include "convert/synth.hpp"
#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "engine/batch_builder.hpp"
#include "engine/engine.hpp"
#include "engine/resolve.hpp"
#include "testing/catch.hpp"

using namespace rung;
namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

namespace {

EngineConfig config_with(std::map<std::string, std::string> rungs, int threads = 2) {
  EngineConfig config = exact_config();  // differences are those of the fusions
  config.threads = threads;
  for (auto& [seam, name] : rungs) config.rungs[seam] = std::move(name);
  return config;
}

/// Logits after every token: one chunk of 19 rows, one of 3, and the rest one by one.
std::vector<float> logits_of(const Model& model, EngineConfig config) {
  constexpr int kTokens = 25;
  Rng rng(17);
  config.context = kTokens;
  config.max_step_tokens = config.max_step_outputs = kTokens;
  Transformer transformer(model, variants(), config, cpu_device());
  const auto kv =
      variants().ladder<KvCache>().make(config.rung("kv"), kv_config(config, model.config, cpu_device()));
  const int sequence = kv->open();
  std::vector<float> all;
  for (int done = 0; done < kTokens;) {
    const int count = done == 0 ? 19 : done == 19 ? 3 : 1;
    REQUIRE(kv->grow(sequence, done + count));
    Batch batch;
    append_rows(batch, *kv, sequence, done, count, count, [&](int /*position*/) {
      return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model.config.vocab_size)));
    });
    const Tensor logits = transformer.forward(batch, *kv);
    all.insert(all.end(), logits.ptr<float>(), logits.ptr<float>() + logits.size());
    done += count;
  }
  return all;
}

bool can_run(const Model& model, const EngineConfig& config) {
  try {
    resolve_rungs(variants(), resolve_config(variants(), config, model), model);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Every rung of `fusion` against `none`, with every rung of `linear` that can run the model.
void compare_rungs(const Model& model) {
  const auto& products = variants().ladder<Linear>().rungs();
  const auto& fusions = variants().ladder<Fusion>().rungs();
  for (const RungInfo& linear : products) {
    const auto rungs = [&](const std::string& fusion) {
      return std::map<std::string, std::string>{{"linear", linear.name}, {"fusion", fusion}};
    };
    // Of a rung whose bits depend on the batch or the threads nothing can be said here.
    if (linear.exercise || !linear.batch_invariant || !can_run(model, config_with(rungs("none")))) continue;
    const std::vector<float> plain = logits_of(model, config_with(rungs("none"), 1));
    const auto [low, high] = std::minmax_element(plain.begin(), plain.end());
    REQUIRE(*high - *low > 0.05f);
    for (const RungInfo& fusion : fusions) {
      if (fusion.exercise) continue;
      INFO("linear " << linear.name << ", fusion " << fusion.name);
      const std::vector<float> fused = logits_of(model, config_with(rungs(fusion.name)));
      REQUIRE(fused.size() == plain.size());
      CHECK(fused == plain);
    }
  }
}

FusedSteps fused(const Model& model, const std::map<std::string, std::string>& rungs) {
  EngineConfig config = config_with(rungs);
  config.context = config.max_step_tokens = config.max_step_outputs = 4;
  return Transformer(model, variants(), config, cpu_device()).fused();
}

Model parity_model(const std::string& name) {
  return load_model(testing::source_file("common/model/parity/models/" + name));
}

}  // namespace

TEST_CASE("all rungs of fusion give the bits of none in every family") {
  int families = 0;
  for (const auto& entry : fs::directory_iterator(testing::source_file("common/model/parity/models"))) {
    INFO(entry.path().filename());
    compare_rungs(load_model(entry.path()));
    ++families;
  }
  CHECK(families >= 20);
}

TEST_CASE("all rungs of fusion give the bits of none in quantized and mixed weights") {
  for (const auto& [type, shape] : {std::pair{DType::q8_0, "test-tiny"},
                                    {DType::q4_0, "test-tiny"},
                                    {DType::f16, "test-tiny"},
                                    {DType::q8_0, "test-tiny-moe"}}) {
    INFO(shape << ", " << traits(type).name);
    const std::string path =
        testing::scratch_file(fmt::format("fusion_test_{}_{}.gguf", shape, traits(type).name));
    synth(path, shape, type, 7, 2);
    compare_rungs(load_model(path));
  }
}

TEST_CASE("same text: every rung of fusion with every rung of linear and attention, on the embedded model") {
  const auto model = std::make_shared<const Model>(load_model(testing::source_file("models/tiny.gguf")));
  std::string first;
  int tried = 0;
  for (const RungInfo& fusion : variants().ladder<Fusion>().rungs()) {
    for (const RungInfo& linear : variants().ladder<Linear>().rungs()) {
      for (const char* attention : {"naive", "auto"}) {
        EngineConfig config =
            config_with({{"fusion", fusion.name}, {"linear", linear.name}, {"attention", attention}});
        if (fusion.exercise || linear.exercise || !linear.batch_invariant || !can_run(*model, config))
          continue;
        config.context = 128;
        Engine engine(model, variants(), config);
        Request request;
        request.prompt = model->tokenizer->encode("Once upon a time", true);
        request.max_tokens = 60;
        request.sampling.temperature = 0;
        request.ignore_end = true;
        const Result result = engine.run(std::move(request));
        if (first.empty()) first = result.text;
        INFO("fusion " << fusion.name << ", linear " << linear.name << ", attention " << attention);
        CHECK(result.text == first);
        ++tried;
      }
    }
  }
  CHECK(first.size() > 60);
  CHECK(tried >= 5 * 4 * 2);
}

TEST_CASE("where the fusions apply is a matter of the model and of the rung of linear") {
  const std::map<std::string, std::string> best, eigen = {{"linear", "eigen"}}, none = {{"fusion", "none"}};
  const auto check = [](const FusedSteps& got, const FusedSteps& expected) {
    CHECK(got.layers == expected.layers);
    CHECK(got.qkv == expected.qkv);
    CHECK(got.gate_up == expected.gate_up);
    CHECK(got.add_norm == expected.add_norm);
    CHECK(got.rope_store == expected.rope_store);
  };
  const Model llama = parity_model("llama");
  const int n = llama.config.layers;
  check(fused(llama, best), {n, n, n, 2 * n - 1, n});
  check(fused(llama, eigen), {n, 0, 0, 2 * n - 1, n});  // a rung without pieces
  check(fused(llama, none), {n, 0, 0, 0, 0});
  const Model gpt2 = parity_model("gpt2");  // layer norms, no RoPE
  const int g = gpt2.config.layers;
  check(fused(gpt2, best), {g, g, g, 0, 0});
  const Model olmo2 =
      parity_model("olmo2");  // norms behind the blocks only: none between an add and a product
  const int o = olmo2.config.layers;
  check(fused(olmo2, best), {o, o, o, 0, o});
  const Model mixtral = parity_model("mixtral");  // all experts of a layer are fused
  const int m = mixtral.config.layers;
  check(fused(mixtral, best), {m, m, m, 2 * m - 1, m});
}

TEST_CASE("what gate and up would be written to is not taken when they are fused") {
  const auto model = std::make_shared<const Model>(load_model(testing::source_file("models/tiny.gguf")));
  const auto workspace = [&](const char* fusion) {
    EngineConfig config = config_with({{"fusion", fusion}});
    config.context = config.max_step_tokens = 512;
    return Engine(model, variants(), config).memory().workspace_bytes;
  };
  const std::size_t wide = std::size_t{512} * 2 * 768 * sizeof(float);
  const std::size_t tiles = std::size_t{2} * 512 * 2 * 128 * sizeof(float);  // 128 rows, a piece of `panels`
  CHECK(workspace("qkv") - workspace("gate_up") == wide - tiles);
}
