// The rungs of `linear` against the oracle, against numbers from elsewhere, and against the promise of the
// seam: a row of y depends on its row of x alone, bitwise.

#include <cmath>
#include <cstring>

#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "linear.hpp"
#include "testing/topic_test.hpp"

using namespace rung;

namespace {

Registry& registry() {
  static Registry* const all = [] {
    auto* r = new Registry;
    linear::register_rungs(*r);
    return r;
  }();
  return *all;
}

/// Eighths in a pattern that golden values can be computed from anywhere.
float pattern(std::int64_t row, std::int64_t column) {
  return static_cast<float>((row * 31 + column * 17) % 23 - 11) / 8.0f;
}

/// A weight [out, in] and inputs [tokens, in].
struct Problem {
  std::vector<std::byte> storage;
  std::vector<float> inputs;
  Tensor weight, x;

  Problem(DType dtype, std::int64_t tokens, std::int64_t in, std::int64_t out)
      : storage(bytes_of(dtype, in * out)), inputs(static_cast<std::size_t>(tokens * in)) {
    Rng rng(7);
    std::vector<float> row(static_cast<std::size_t>(in));
    weight = Tensor(storage.data(), dtype, out, in);
    for (std::int64_t o = 0; o < out; ++o) {
      for (float& w : row) w = static_cast<float>(rng.normal());
      traits(dtype).from_float(row.data(), weight.row(o), in);
    }
    for (float& v : inputs) v = static_cast<float>(rng.normal());
    x = Tensor(inputs.data(), DType::f32, tokens, in);
  }
};

std::vector<float> multiply(const std::string& rung, const Tensor& weight, const Tensor& x, int threads,
                            std::int64_t gap = 0) {
  GuardedBuffer y(x.rows, weight.rows, weight.rows + gap);
  const LinearConfig config{weight, threads, static_cast<int>(x.rows)};
  registry().ladder<Linear>().make(rung, config)->apply(x, y.tensor());
  y.check_guards();
  return y.values();
}

bool same_bits(const float* a, const float* b, std::int64_t n) {
  return std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("every rung passes every trial") { testing::judge_all(registry(), "linear"); }

TEST_CASE("a token's row is bitwise the same alone, in any batch, at any place and with any threads") {
  constexpr std::int64_t kTokens = 131, kOut = 75;  // more than one block of tokens and of rows, with edges
  for (const RungInfo& rung : registry().find("linear").rungs()) {
    if (rung.exercise) continue;
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (traits(dtype).from_float == nullptr) continue;
      for (const std::int64_t in :
           {std::int64_t{64}, std::int64_t{736}, std::int64_t{1101}, std::int64_t{768}}) {
        const int block = traits(dtype).block_elements;
        if (in % block != 0 || (in == 768 && block < 256)) continue;
        INFO("rung " << rung.name << ", " << traits(dtype).name << ", in " << in);
        const Problem p(dtype, kTokens, in, kOut);
        const std::vector<float> all = multiply(rung.name, p.weight, p.x, 1);
        for (const int threads : {2, 3}) CHECK(multiply(rung.name, p.weight, p.x, threads) == all);
        CHECK(multiply(rung.name, p.weight, p.x, 1, 13) == all);
        // Every size up to twelve, starting at every other place: each edge of a tile is met.
        for (std::int64_t count = 1; count <= 12; ++count) {
          for (std::int64_t first = 0; first + count <= kTokens; first += 2 * count + 1) {
            const auto part = multiply(rung.name, p.weight, p.x.row_slice(first, count), 1);
            REQUIRE(same_bits(part.data(), all.data() + first * kOut, count * kOut));
          }
        }
        // Rows of x with gaps.
        std::vector<float> spread(static_cast<std::size_t>(kTokens * (in + 9)), std::nanf(""));
        const Tensor strided(spread.data(), DType::f32, kTokens, in, in + 9);
        for (std::int64_t t = 0; t < kTokens; ++t) {
          std::memcpy(strided.row(t), p.x.row(t), static_cast<std::size_t>(in) * sizeof(float));
        }
        CHECK(multiply(rung.name, p.weight, strided, 2) == all);
      }
    }
  }
}

TEST_CASE("no tokens, no work") {
  const Problem p(DType::f32, 1, 64, 8);
  for (const RungInfo& rung : registry().find("linear").rungs()) {
    if (!rung.exercise) CHECK(multiply(rung.name, p.weight, p.x.row_slice(0, 0), 2).empty());
  }
}

// numpy, float64: w = ((o * 31 + i * 17) % 23 - 11) / 8, x = ((t * 31 + i * 17 + 155) % 23 - 11) / 8 for
// o < 3, t < 2, i < 100; x @ w.T. Every product and sum is exact in float32, so equality is asked for.
TEST_CASE("products equal numpy's") {
  const std::vector<float> golden = {-12.328125f, -28.765625f, 52.90625f, 35.09375f, -11.078125f, -30.65625f};
  std::vector<float> w, x;
  for (int o = 0; o < 3; ++o) {
    for (int i = 0; i < 100; ++i) w.push_back(pattern(o, i));
  }
  for (int t = 0; t < 2; ++t) {
    for (int i = 0; i < 100; ++i) x.push_back(pattern(t + 5, i));
  }
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    std::vector<std::byte> storage(bytes_of(dtype, 300));
    traits(dtype).from_float(w.data(), storage.data(), 300);
    for (const RungInfo& rung : registry().find("linear").rungs()) {
      if (rung.exercise) continue;
      INFO("rung " << rung.name << ", " << traits(dtype).name);
      CHECK(multiply(rung.name, Tensor(storage.data(), dtype, 3, 100), Tensor(x.data(), DType::f32, 2, 100),
                     1) == golden);
    }
  }
}

TEST_CASE("the trials have ragged, strided and timed shapes") {
  int ragged = 0, strided = 0, timed = 0;
  for (const Trial& trial : registry().find("linear").trials()) {
    ragged += trial.name.find("172") != std::string::npos;
    strided += trial.name.find("strided") != std::string::npos;
    timed += trial.timed;
  }
  CHECK(ragged > 0);
  CHECK(strided > 0);
  CHECK(timed > 0);
}

TEST_CASE("a rung that loses the last column fails, with shape, index, expected and got") {
  Registry spoiled;
  Ladder<Linear>& ladder = spoiled.ladder<Linear>();
  struct Spoiled final : Linear {
    explicit Spoiled(LinearConfig c) : config(c) {}
    void apply(const Tensor& x, const Tensor& y) override {
      const std::int64_t in = config.weight.cols;
      std::vector<float> row(static_cast<std::size_t>(in));
      for (std::int64_t o = 0; o < y.cols; ++o) {
        linear::read_row(config.weight, o, row.data());
        for (std::int64_t t = 0; t < x.rows; ++t) {
          float sum = 0;
          for (std::int64_t i = 0; i + 1 < in; ++i)
            sum += x.ptr<float>(t)[i] * row[static_cast<std::size_t>(i)];
          y.ptr<float>(t)[o] = sum;
        }
      }
    }
    LinearConfig config;
  };
  ladder.add(
      {{"spoiled", "", "", false}, [](const LinearConfig& c) { return std::make_unique<Spoiled>(c); }, {}});
  for (const Trial& trial : linear::make_trials(ladder)) {
    const Verdict verdict = trial.judge("spoiled", 1);
    INFO(trial.name << ": " << verdict.message);
    CHECK(verdict.status == Verdict::Status::failed);
    CHECK(verdict.message.find("index [token ") != std::string::npos);
    CHECK(verdict.message.find("expected ") != std::string::npos);
    CHECK(verdict.message.find("got ") != std::string::npos);
  }
}

TEST_CASE("a format without a kernel is declined with a sentence") {
  std::vector<std::int32_t> ids(64);
  const LinearConfig config{Tensor(ids.data(), DType::i32, 2, 32), 1, 1};
  CHECK_THROWS_WITH(registry().ladder<Linear>().make("simd", config),
                    "rung 'simd' of seam linear does not support a linear layer [32 -> 2] in i32; 'auto' "
                    "chooses one that does");
}
