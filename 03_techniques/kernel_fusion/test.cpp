// Every rung against float64, and what the lesson says about them: which bits stay, what is fused and what is
// not.

#include <cstring>
#include <utility>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"
#include "ops/cpu_ops.hpp"
#include "testing/topic_test.hpp"
#include "trials.hpp"

using namespace rung;
using namespace rung::kernel_fusion;

namespace {

const Ladder<Fusion>& ladder() { return testing::ladder_of<Fusion, register_rungs>(); }

/// Multiplies with 2, or has no pieces, or wants another layout of x: enough to see what is fused.
class Doubling final : public Linear {
 public:
  Doubling(std::int64_t piece, int layout) : piece_(piece), layout_(layout) {}
  void apply(const Tensor& x, const Tensor& y) override { apply_piece(x, nullptr, 0, y); }
  std::int64_t piece_rows() const override { return piece_; }
  int prepared_layout() const override { return layout_; }
  void apply_piece(const Tensor& x, const PreparedRows* /*prepared*/, std::int64_t begin,
                   const Tensor& y) const override {
    for (std::int64_t t = 0; t < y.rows; ++t) {
      for (std::int64_t c = 0; c < y.cols; ++c) y.ptr<float>(t)[c] = 2 * x.ptr<float>(t)[begin + c];
    }
  }

 private:
  std::int64_t piece_;
  int layout_;
};

std::vector<ProductPart> parts(std::initializer_list<std::pair<std::int64_t, int>> kinds,
                               std::int64_t width) {
  std::vector<ProductPart> result;
  for (const auto& [piece, layout] : kinds)
    result.push_back({std::make_unique<Doubling>(piece, layout), width, {}});
  return result;
}

FusionConfig config(int threads = 2, int max_tokens = 32) {
  FusionConfig c;
  c.threads = threads;
  c.max_tokens = max_tokens;
  return c;
}

std::int64_t regions_of(const std::function<void()>& call) {
  const std::int64_t before = parallel_regions;
  call();
  return parallel_regions - before;
}

}  // namespace

TEST_CASE("every rung equals its formulas in float64") {
  testing::judge_all(testing::registry_of<register_rungs>(), "fusion");
}

TEST_CASE(
    "products are fused when they have pieces of one size and read x in one layout, and not otherwise") {
  Made none(ladder(), "none", config()), qkv(ladder(), "qkv", config()),
      gate_up(ladder(), "gate_up", config());
  const auto fused = [&](Made& made, std::initializer_list<std::pair<std::int64_t, int>> kinds,
                         bool activated) {
    return activated ? made.fusion->activated(parts(kinds, 40))->fused()
                     : made.fusion->side_by_side(parts(kinds, 40))->fused();
  };
  CHECK_FALSE(fused(none, {{16, 0}, {16, 0}}, false));
  CHECK_FALSE(fused(qkv, {{16, 0}, {16, 0}}, true));
  for (const bool activated : {false, true}) {
    CHECK(fused(gate_up, {{16, 0}, {16, 0}}, activated));
    CHECK(fused(gate_up, {{16, 3}, {16, 3}}, activated));
    CHECK_FALSE(fused(gate_up, {{16, 0}, {0, 0}}, activated));   // a rung without pieces
    CHECK_FALSE(fused(gate_up, {{16, 0}, {32, 0}}, activated));  // two rungs of `linear`
    CHECK_FALSE(fused(gate_up, {{16, 0}, {16, 1}}, activated));  // two formats whose x is rounded differently
  }
}

TEST_CASE(
    "threads are sent out once for q, k and v, once for gate, up and the activation, never for one row") {
  std::vector<float> x(3 * 4096, 1), y(3 * 4096), wide(3 * 4096);
  const auto rows = [](std::vector<float>& of, std::int64_t tokens, std::int64_t cols) {
    return Tensor(of.data(), DType::f32, tokens, cols);
  };
  const Tensor in = rows(x, 1, 4096);
  Made none(ladder(), "none", config(2, 1)), all(ladder(), "rope_store", config(2, 1));
  const auto qkv = all.fusion->side_by_side(parts({{64, 0}, {64, 0}, {64, 0}}, 256));
  CHECK(regions_of([&] { qkv->run(in, {}, rows(y, 1, 768)); }) == 1);
  const auto fused = all.fusion->activated(parts({{64, 0}, {64, 0}}, 4096));
  const auto plain = none.fusion->activated(parts({{64, 0}, {64, 0}}, 4096));
  CHECK(plain->needs_wide());
  CHECK_FALSE(fused->needs_wide());
  CHECK(regions_of([&] { fused->run(in, {}, rows(y, 1, 4096)); }) == 1);
  // The products of this test use no threads; of the plain steps the activation of 4,096 numbers does.
  CHECK(regions_of([&] { plain->run(in, rows(wide, 1, 8192), rows(x, 1, 4096)); }) == 1);

  std::vector<float> weight(4096, 1);
  const Norm norm{rows(weight, 1, 4096), {}};
  const auto add = [&](Made& made) {
    return regions_of(
        [&] { made.ops.add_norm(rows(y, 1, 4096), 1, rows(x, 1, 4096), norm, rows(wide, 1, 4096)); });
  };
  CHECK(add(none) == 1);
  CHECK(add(all) == 0);
}

TEST_CASE("all layers share the tiles of gate and up, which are much smaller than the whole intermediate") {
  Scratch scratch;
  FusionConfig shared = config(2, 32);
  shared.place.scratch = &scratch;
  Made made(ladder(), "gate_up", shared);
  CHECK(scratch.bytes() == 0);
  const auto one = made.fusion->activated(parts({{16, 0}, {16, 0}}, 4096));
  const std::size_t bytes = scratch.bytes();
  CHECK(bytes ==
        std::size_t{2} * 32 * 2 * 16 * sizeof(float));  // threads, tokens, gate and up, rows of a piece
  const auto two = made.fusion->activated(parts({{16, 0}, {16, 0}}, 4096));
  CHECK(scratch.bytes() == bytes);
  CHECK(bytes * 100 < std::size_t{32} * 2 * 4096 * sizeof(float));
}

TEST_CASE("no rung fuses a layer norm, a norm that is not there or RoPE where there is none") {
  std::vector<float> weight(8, 1);
  const Norm layer{{weight.data(), DType::f32, 1, 8}, {}, NormKind::layer};
  for (const RungInfo& rung : ladder().rungs()) {
    INFO(rung.name);
    Made made(ladder(), rung.name, config());
    CHECK_FALSE(made.ops.fuses_add_norm({}));
    CHECK_FALSE(made.ops.fuses_add_norm(layer));
    CHECK_FALSE(made.ops.fuses_rope_store(nullptr));
  }
}

TEST_CASE("auto is the highest rung; memory that the host cannot read is left to none") {
  const Ops ops;
  FusionConfig c = config();
  c.ops = c.tile = &ops;
  CHECK(ladder().choose("auto", c).info.name == "rope_store");
  c.tile = nullptr;
  CHECK(ladder().choose("auto", c).info.name == "none");
  CHECK_THROWS_WITH(ladder().make("qkv", c), testing::contains("whose memory the host cannot read"));
}
