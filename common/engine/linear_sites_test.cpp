// Where the forward pass builds its products: what their scratch memory adds to the report, and what a
// decorator sees.

#include <memory>
#include <set>

#include "catalog/variants.hpp"
#include "engine/engine.hpp"
#include "testing/catch.hpp"
#include "testing/paths.hpp"

using namespace rung;

namespace {

std::shared_ptr<const Model> tiny() {
  return std::make_shared<const Model>(load_model(testing::source_file("models/tiny.gguf")));
}

EngineConfig small_config() {
  EngineConfig config = exact_config();
  config.threads = 2;
  config.context = config.max_step_tokens = 64;
  return config;
}

std::vector<float> logits_of(Engine& engine) {
  const std::vector<std::int32_t> ids = {1, 2, 3, 4, 5, 6, 7};
  std::vector<float> all;
  engine.logits(ids, [&](const Tensor& rows) {
    for (std::int64_t t = 0; t < rows.rows; ++t) {
      all.insert(all.end(), rows.ptr<float>(t), rows.ptr<float>(t) + rows.cols);
    }
  });
  return all;
}

/// Adds 1 to y, and counts its calls.
class PlusOne final : public Linear {
 public:
  PlusOne(std::unique_ptr<Linear> inner, int& calls) : inner_(std::move(inner)), calls_(calls) {}
  void apply(const Tensor& x, const Tensor& y) override {
    inner_->apply(x, y);
    ++calls_;
    for (std::int64_t t = 0; t < y.rows; ++t) {
      for (std::int64_t o = 0; o < y.cols; ++o) y.ptr<float>(t)[o] += 1;
    }
  }

 private:
  std::unique_ptr<Linear> inner_;
  int& calls_;
};

}  // namespace

TEST_CASE("the workspace grows by what the rungs of linear ask for, once for all of them") {
  constexpr std::size_t kBytes = 12345 * 64;
  struct Asking final : Linear {
    Asking(std::unique_ptr<Linear> usual_, const Workplace& place) : usual(std::move(usual_)) {
      if (place.scratch != nullptr) memory = ScratchMemory(place, "test", kBytes);
    }
    void apply(const Tensor& x, const Tensor& y) override {
      CHECK(memory.data() != nullptr);
      usual->apply(x, y);
    }
    std::unique_ptr<Linear> usual;
    ScratchMemory memory;
  };
  const auto model = tiny();
  Registry registry = make_variants();
  Ladder<Linear>& ladder = registry.ladder<Linear>();
  for (const bool asking : {false, true}) {
    Rung<Linear> rung;
    rung.info = {asking ? "asking" : "modest", "", "", false, false};
    rung.make = [&ladder, asking](const LinearConfig& config) {
      return std::make_unique<Asking>(ladder.make("simd", config), asking ? config.place : Workplace());
    };
    ladder.add(rung);
  }
  const auto workspace = [&](const char* rung) {
    EngineConfig config = small_config();
    config.rungs["linear"] = rung;
    Engine engine(model, registry, config);
    if (std::string(rung) == "asking") CHECK_FALSE(logits_of(engine).empty());
    return engine.memory().workspace_bytes;
  };
  CHECK(workspace("asking") == workspace("modest") + kBytes);
}

TEST_CASE("a decorator is asked for every product, and one that returns it as it is changes nothing") {
  const auto model = tiny();
  Engine plain(model, variants(), small_config());
  std::set<const void*> weights;
  EngineConfig config = small_config();
  config.decorate = [&](std::unique_ptr<Linear> linear, const LinearSite& site) {
    CHECK(site.role == LinearRole::whole);
    CHECK(site.place.scratch != nullptr);
    weights.insert(site.weight.data);
    return linear;
  };
  Engine same(model, variants(), config);
  CHECK(weights.size() == static_cast<std::size_t>(model->config.layers) * 7 + 1);
  CHECK(weights.count(model->weights.output.data) == 1);
  CHECK(weights.count(model->weights.layers.front().q.weight.data) == 1);
  CHECK(logits_of(same) == logits_of(plain));
}

TEST_CASE("a decorator changes the product that it wraps, and no fused loop passes it by") {
  const auto model = tiny();
  Engine plain(model, variants(), small_config());
  int calls = 0;
  EngineConfig config = small_config();
  config.decorate = [&](std::unique_ptr<Linear> linear, const LinearSite& site) -> std::unique_ptr<Linear> {
    if (site.weight.data != model->weights.output.data) return linear;
    return std::make_unique<PlusOne>(std::move(linear), calls);
  };
  Engine decorated(model, variants(), config);
  std::vector<float> expected = logits_of(plain);
  for (float& logit : expected) logit += 1;
  CHECK(logits_of(decorated) == expected);
  CHECK(calls > 0);

  calls = 0;
  config.decorate = [&](std::unique_ptr<Linear> linear, const LinearSite& site) -> std::unique_ptr<Linear> {
    if (site.weight.data != model->weights.layers.front().q.weight.data) return linear;
    return std::make_unique<PlusOne>(std::move(linear), calls);
  };
  Engine in_layer(model, variants(), config);
  CHECK(logits_of(in_layer) != logits_of(plain));
  CHECK(calls > 0);
}
