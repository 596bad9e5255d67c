// The rungs of `linear` against the oracle, against numbers from elsewhere, and against the promise of the
// seam: a row of y depends on its row of x alone, bitwise.

#include <cmath>
#include <cstring>
#include <limits>

#include "seams/packed_store.hpp"
#include "test_support.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::linear;

namespace {

/// Eighths in a pattern that golden values can be computed from anywhere.
float pattern(std::int64_t row, std::int64_t column) {
  return static_cast<float>((row * 31 + column * 17) % 23 - 11) / 8.0f;
}

bool same_bits(const float* a, const float* b, std::int64_t n) {
  return std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("every rung passes every trial") { testing::judge_all(registry(), "linear"); }

TEST_CASE("a token's row is bitwise the same alone, in any batch, at any place and with any threads",
          "[.long]") {
  constexpr std::int64_t kTokens = 131, kOut = 75;  // more than one block of tokens and of rows, with edges
  for (const RungInfo& rung : registry().find("linear").rungs()) {
    if (rung.exercise || !rung.batch_invariant) continue;
    for (int d = 0; d < kDTypeCount; ++d) {
      const auto dtype = static_cast<DType>(d);
      if (traits(dtype).from_float == nullptr || !supports(rung.name, dtype)) continue;
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
    if (rung.exercise || !supports(rung.name, DType::f32)) continue;
    CHECK(multiply(rung.name, p.weight, p.x.row_slice(0, 0), 2).empty());
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
      if (rung.exercise || !supports(rung.name, dtype)) continue;
      INFO("rung " << rung.name << ", " << traits(dtype).name);
      CHECK(multiply(rung.name, Tensor(storage.data(), dtype, 3, 100), Tensor(x.data(), DType::f32, 2, 100),
                     1) == golden);
    }
  }
}

/// Sums of products of bfloat16 numbers, each exact in float32, in the order in which an instruction adds
/// them up.
float sum_of_pairs(const std::vector<float>& w, const std::vector<float>& x) {
  float sum = 0;
  for (std::size_t i = 0; i < w.size(); i += 2) {
    for (const std::size_t c : {i + 1, i}) {  // the odd column of a pair first
      if (c < w.size()) sum = std::fma(x[c], w[c], sum);
    }
  }
  return sum;
}
float sum_of_tiles(const std::vector<float>& w, const std::vector<float>& x) {
  float sum = 0;
  for (std::size_t i = 0; i < w.size(); i += 32) {
    float half[2] = {0, 0};  // of the even columns, of the odd ones
    for (std::size_t c = i; c < std::min(i + 32, w.size()); ++c)
      half[c % 2] = std::fma(x[c], w[c], half[c % 2]);
    sum += half[0] + half[1];
  }
  return sum;
}

TEST_CASE("bf16_dot and bf16_tiles: the bits of their definitions at every SIMD level") {
  const auto rounded = [](const float* x, std::int64_t n) {
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(n));
    std::vector<float> values(halves.size());
    traits(DType::bf16).from_float(x, halves.data(), n);
    traits(DType::bf16).to_float(halves.data(), values.data(), n);
    return values;
  };
  struct Definition {
    const char* rung;
    float (*sum)(const std::vector<float>& w, const std::vector<float>& x);
  };
  for (const Definition& definition : {Definition{"bf16_dot", sum_of_pairs}, {"bf16_tiles", sum_of_tiles}}) {
    for (const std::int64_t in : {1, 2, 769, 1300}) {
      for (const std::int64_t out : {5, 33}) {
        for (const std::int64_t tokens : {15, 51}) {
          INFO(definition.rung << ": in " << in << ", out " << out << ", tokens " << tokens);
          const Problem p(DType::bf16, tokens, in, out);
          const auto got = multiply(definition.rung, p.weight, p.x, 2);
          std::vector<float> row(static_cast<std::size_t>(in));
          for (std::int64_t o = 0; o < out; ++o) {
            read_row(p.weight, o, row.data());
            for (std::int64_t t = 0; t < tokens; ++t) {
              REQUIRE(got[static_cast<std::size_t>(t * out + o)] ==
                      definition.sum(row, rounded(p.x.ptr<float>(t), in)));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("bf16_dot and bf16_tiles: a NaN or an infinity in x is not hidden, and stays in its row") {
  const char* rung = GENERATE("bf16_dot", "bf16_tiles");
  for (const float poison : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Problem p(DType::bf16, 3, 65, 20);
    p.inputs[65 + 64] = poison;
    const auto y = multiply(rung, p.weight, p.x, 1);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isfinite(y[i]) == (i / 20 != 1));
  }
}

TEST_CASE("copies of weights are asked for in a store, and told to it; what it has is used") {
  struct Store final : PackedStore {
    std::span<const std::byte> find(const Tensor&, std::string_view name, std::size_t bytes) override {
      return name == layout && bytes == kept.size() ? std::span<const std::byte>(kept)
                                                    : std::span<std::byte>();
    }
    void add(const Tensor&, std::string_view name, std::span<const std::byte> copy) override {
      layout = name;
      kept.assign(copy.begin(), copy.end());
      ++added;
    }
    std::string layout;
    std::vector<std::byte> kept;
    int added = 0;
  };
  for (const auto& [rung, dtype] : {std::pair{"panels", DType::f32},
                                    {"panels", DType::f16},
                                    {"bf16_dot", DType::bf16},
                                    {"bf16_tiles", DType::bf16},
                                    {"packed", DType::q4_0},
                                    {"packed", DType::mxfp4},
                                    {"packed", DType::q2_k},
                                    {"packed", DType::q3_k},
                                    {"packed", DType::q6_k}}) {
    INFO(rung << " " << traits(dtype).name);
    const Problem p(dtype, 3, 256, 21);
    const auto expected = multiply(rung, p.weight, p.x, 1);
    Store store;
    const LinearConfig config{p.weight, 2, 3, &store};
    const auto& ladder = registry().ladder<Linear>();
    const auto made = ladder.make(rung, config);
    CHECK(store.added == 1);
    CHECK(store.kept.size() == made->packed_bytes());
    // The weight itself is not read again: not even when it is no longer there.
    std::vector<std::byte> nothing(p.storage.size());
    const LinearConfig second{Tensor(nothing.data(), dtype, 21, 256), 2, 3, &store};
    const auto found = ladder.make(rung, second);
    CHECK(store.added == 1);
    GuardedBuffer y(3, 21, 21);
    found->apply(p.x, y.tensor());
    CHECK(y.values() == expected);
  }
}

// What the library does with one row of x, beside how many others it stands: printed, because another
// processor or another version of the library may do otherwise.
TEST_CASE("onednn is marked as not batch-invariant; which batch sizes change a row here", "[onednn]") {
  const auto& rungs = registry().find("linear").rungs();
  const bool present = std::any_of(rungs.begin(), rungs.end(), [](auto& r) { return r.name == "onednn"; });
  for (const RungInfo& rung : rungs) {
    CHECK(rung.batch_invariant == (rung.name != "onednn"));
    if (!rung.batch_invariant) CHECK_FALSE(rung.automatic);
  }
  CHECK(present == registry().find("linear").note.empty());
  if (!present) return;
  const Problem p(DType::f32, 48, 736, 75);
  const auto all = multiply("onednn", p.weight, p.x, 1);
  std::string differ;
  for (std::int64_t count = 1; count < 48; ++count) {
    const auto part = multiply("onednn", p.weight, p.x.row_slice(0, count), 1);
    if (!same_bits(part.data(), all.data(), count * 75)) differ += fmt::format(" {}", count);
  }
  WARN("onednn: a token's bits among 48 are not those that it has in batches of" << differ);
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

TEST_CASE("a rung that loses the last column fails, with the index and both values", "[.long]") {
  Registry spoiled;
  Ladder<Linear>& ladder = spoiled.ladder<Linear>();
  struct Spoiled final : Linear {
    explicit Spoiled(LinearConfig c) : config(c) {}
    void apply(const Tensor& x, const Tensor& y) override {
      const std::int64_t in = config.weight.cols;
      std::vector<float> row(static_cast<std::size_t>(in));
      for (std::int64_t o = 0; o < y.cols; ++o) {
        read_row(config.weight, o, row.data());
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
  for (const Trial& trial : make_trials(ladder)) {
    const Verdict verdict = trial.judge("spoiled", 1);
    INFO(trial.name << ": " << verdict.message);
    CHECK(verdict.status == Verdict::Status::failed);
    CHECK(verdict.message.find("index:     token ") != std::string::npos);
    CHECK(verdict.message.find("expected: ") != std::string::npos);
    CHECK(verdict.message.find("actual: ") != std::string::npos);
  }
}

TEST_CASE("a format without a kernel is declined with a sentence") {
  std::vector<std::int32_t> ids(64);
  const LinearConfig config{Tensor(ids.data(), DType::i32, 2, 32), 1, 1};
  CHECK_THROWS_WITH(registry().ladder<Linear>().make("simd", config),
                    "rung 'simd' of seam linear does not support a linear layer [32 -> 2] in i32; 'auto' "
                    "chooses one that does");
}
