// The ends of a forward pass: stages of a pipeline in a row compute the bits of the whole model, and rows of
// hidden states enter and leave.

#include <vector>

#include "catalog/variants.hpp"
#include "core/rng.hpp"
#include "devices/cpu_device.hpp"
#include "engine/batch_builder.hpp"
#include "engine/resolve.hpp"
#include "engine/transformer.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

constexpr int kTokens = 25;

/// A forward pass over some layers, with a cache for these layers alone.
struct Stage {
  Stage(const Model& model, LayerRange range) {
    EngineConfig config = exact_config();
    config.threads = 2;
    config.context = config.max_step_tokens = config.max_step_outputs = kTokens;
    pass = std::make_unique<Transformer>(model, variants(), config, cpu_device(), nullptr, range);
    KvConfig cache = kv_config(config, model.config, cpu_device());
    cache.layers = pass->layers();
    kv = variants().ladder<KvCache>().make(config.rung("kv"), cache);
    sequence = kv->open();
  }
  /// The step of tokens [begin, begin + count) of a text with fixed random tokens. All rows get logits.
  Batch batch(int begin, int count, int vocab) const {
    REQUIRE(kv->grow(sequence, begin + count));
    Batch result;
    append_rows(result, *kv, sequence, begin, count, count, [&](int position) {
      Rng rng(23, static_cast<std::uint64_t>(position));
      return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(vocab)));
    });
    return result;
  }

  std::unique_ptr<Transformer> pass;
  std::unique_ptr<KvCache> kv;
  int sequence = -1;
};

std::vector<float> values(const Tensor& t) { return {t.ptr<float>(), t.ptr<float>() + t.size()}; }

/// Logits after every token: a prompt in chunks of 13 and 7, then token by token. The rows that leave one
/// stage enter the next.
std::vector<float> logits_of(const Model& model, const std::vector<LayerRange>& ranges) {
  std::vector<std::unique_ptr<Stage>> stages;
  for (const LayerRange& range : ranges) stages.push_back(std::make_unique<Stage>(model, range));
  std::vector<float> all;
  for (int done = 0; done < kTokens;) {
    const int count = done == 0 ? 13 : done == 13 ? 7 : 1;
    Tensor rows;
    for (const auto& stage : stages) {
      const Batch batch = stage->batch(done, count, model.config.vocab_size);
      const Leave to = stage == stages.back() ? Leave::logits : Leave::hidden;
      rows = stage->pass->forward(batch, *stage->kv, rows, to, {});
    }
    const std::vector<float> logits = values(rows);
    all.insert(all.end(), logits.begin(), logits.end());
    done += count;
  }
  return all;
}

Model parity_model(const std::string& name) {
  return load_model(testing::source_file("common/model/parity/models/" + name));
}

}  // namespace

TEST_CASE("stages of a pipeline, one after the other, give the bits of the whole model") {
  // Learned positions and layer norms, a mixture, windows with a RoPE of their own, norms behind the blocks.
  for (const char* name : {"llama", "gpt2", "mixtral", "gemma3", "olmo2", "granite"}) {
    INFO(name);
    const Model model = parity_model(name);
    const int n = model.config.layers;
    REQUIRE(n >= 2);
    const std::vector<float> whole = logits_of(model, {{}});
    REQUIRE(whole.size() ==
            static_cast<std::size_t>(kTokens) * static_cast<std::size_t>(model.config.vocab_size));
    for (int cut = 1; cut < n; ++cut) {
      INFO("cut before layer " << cut);
      CHECK(logits_of(model, {{0, cut}, {cut, n}}) == whole);
    }
    std::vector<LayerRange> single;
    for (int i = 0; i < n; ++i) single.push_back({i, i + 1});
    CHECK(logits_of(model, single) == whole);
  }
}

TEST_CASE("a whole model enters with rows and leaves with hidden states too") {
  const Model model = parity_model("llama");
  Stage first(model, {}), second(model, {}), third(model, {});
  const Batch batch = first.batch(0, 9, model.config.vocab_size);
  second.batch(0, 9, model.config.vocab_size);
  third.batch(0, 9, model.config.vocab_size);
  std::vector<float> embedded, last;
  const Tensor logits =
      first.pass->forward(batch, *first.kv, [&](std::string_view name, int, const Tensor& t) {
        if (name == "embedding") embedded = values(t);
        if (name == "layer") last = values(t);
      });
  const Tensor rows(embedded.data(), DType::f32, 9, model.config.dim);
  CHECK(values(second.pass->forward(batch, *second.kv, rows, Leave::logits, {})) == values(logits));
  CHECK(values(third.pass->forward(batch, *third.kv, {}, Leave::hidden, {})) == last);
}

TEST_CASE("a tap sees a stage's layers by their number in the model") {
  const Model model = parity_model("mixtral");
  const int n = model.config.layers;
  Stage stage(model, {n - 1, -1});
  CHECK(stage.pass->layers() == 1);
  CHECK(stage.pass->fused().layers == 1);
  std::vector<float> zeros(static_cast<std::size_t>(3) * static_cast<std::size_t>(model.config.dim), 0.5f);
  const Batch batch = stage.batch(0, 3, model.config.vocab_size);
  std::vector<std::string> seen;
  stage.pass->forward(batch, *stage.kv, {zeros.data(), DType::f32, 3, model.config.dim}, Leave::logits,
                      [&](std::string_view name, int layer, const Tensor& t) {
                        CHECK(t.rows == 3);
                        seen.push_back(fmt::format("{} {}", name, layer));
                      });
  CHECK(seen == std::vector<std::string>{"embedding -1", fmt::format("attention {}", n - 1),
                                         fmt::format("router {}", n - 1), fmt::format("layer {}", n - 1),
                                         "logits -1"});
}

TEST_CASE("ends that a stage does not have, and rows of another shape, are refused with a sentence") {
  const Model model = parity_model("llama");
  const int n = model.config.layers;
  Stage head(model, {0, 1}), tail(model, {1, -1});
  const Batch batch = head.batch(0, 4, model.config.vocab_size);
  tail.batch(0, 4, model.config.vocab_size);
  CHECK_THROWS_WITH(head.pass->forward(batch, *head.kv), testing::contains("ask it for hidden states"));
  CHECK_THROWS_WITH(tail.pass->forward(batch, *tail.kv),
                    testing::contains("give it the hidden states of layer 0"));
  std::vector<float> few(static_cast<std::size_t>(4 * model.config.dim));
  for (const Tensor& rows : {Tensor(few.data(), DType::f32, 3, model.config.dim),
                             Tensor(few.data(), DType::f32, 4, model.config.dim - 1),
                             Tensor(few.data(), DType::f32, 4, model.config.dim, model.config.dim + 1)}) {
    CHECK_THROWS_WITH(tail.pass->forward(batch, *tail.kv, rows, Leave::logits, {}),
                      testing::contains("without gaps"));
  }
  for (const LayerRange& range :
       {LayerRange{1, 1}, LayerRange{-1, 1}, LayerRange{0, n + 1}, LayerRange{n, -1}}) {
    CHECK_THROWS_WITH(Stage(model, range), testing::contains("choose at least one"));
  }
  CHECK(head.pass->workspace_bytes() < tail.pass->workspace_bytes());  // no logits
}
