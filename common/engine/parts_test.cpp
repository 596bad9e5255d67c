// The parts of the engine that need no model: operations against float64, stop strings.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "catalog/variants.hpp"
#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "core/trial.hpp"
#include "devices/cpu_device.hpp"
#include "loop/stop_checker.hpp"
#include "ops/cpu_ops.hpp"
#include "seams/kv_cache.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

std::vector<float> random_floats(Rng& rng, std::int64_t n) {
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

void check(const Verdict& verdict) {
  INFO(verdict.message);
  CHECK(verdict.status == Verdict::Status::passed);
}

constexpr double kEps = 1.1920929e-7;

}  // namespace

TEST_CASE("rmsnorm and gated silu equal their formulas in float64") {
  Rng rng(1);
  for (const int threads : {1, 2}) {
    const Ops ops = cpu_ops(threads);
    for (const std::int64_t rows : {1, 3, 20}) {
      for (const std::int64_t dim : {1, 7, 64, 1000}) {
        std::vector<float> x = random_floats(rng, rows * 2 * dim), w = random_floats(rng, dim);
        x[0] = 1000.0f;
        GuardedBuffer norm(rows, dim, dim + 3), hidden(rows, dim);
        std::vector<double> expected_norm, expected_hidden;
        for (std::int64_t r = 0; r < rows; ++r) {
          const float* row = x.data() + r * 2 * dim;
          double square = 0;
          for (std::int64_t i = 0; i < dim; ++i) square += static_cast<double>(row[i]) * row[i];
          for (std::int64_t i = 0; i < dim; ++i) {
            const auto at = static_cast<std::size_t>(i);
            expected_norm.push_back(row[i] / std::sqrt(square / static_cast<double>(dim) + 1e-5) * w[at]);
            const double gate = row[i];
            expected_hidden.push_back(gate / (1 + std::exp(-gate)) * row[dim + i]);
          }
        }
        const Tensor both(x.data(), DType::f32, rows, 2 * dim);
        ops.rmsnorm(both.col_slice(0, dim), {w.data(), DType::f32, 1, dim}, 1e-5f, norm.tensor());
        ops.activate(both, Activation::silu, hidden.tensor());
        norm.check_guards();
        hidden.check_guards();
        std::vector<double> allowed;
        for (const double e : expected_norm) allowed.push_back(4 * kEps * std::fabs(e) + 1e-30);
        check(compare("rmsnorm", {{"row", rows}, {"dim", dim}}, norm.values(), expected_norm, allowed));
        allowed.clear();
        for (const double e : expected_hidden) allowed.push_back(8 * kEps * std::fabs(e) + 1e-30);
        check(compare("silu", {{"row", rows}, {"dim", dim}}, hidden.values(), expected_hidden, allowed));
      }
    }
  }
}

TEST_CASE("layernorm, the norm of every head, and both GELUs equal their formulas in float64") {
  Rng rng(4);
  constexpr std::int64_t kRows = 3, kHeads = 3, kDim = 40, kWidth = kHeads * kDim;
  std::vector<float> x = random_floats(rng, kRows * kWidth), w = random_floats(rng, kWidth),
                     b = random_floats(rng, kWidth);
  x[0] = 30.0f;
  const Tensor in(x.data(), DType::f32, kRows, kWidth);
  std::vector<double> layer, heads, tanh, erf;
  for (std::size_t r = 0; r < kRows; ++r) {
    const float* row = x.data() + r * kWidth;
    double mean = 0, variance = 0;
    for (int i = 0; i < kWidth; ++i) mean += static_cast<double>(row[i]) / kWidth;
    for (int i = 0; i < kWidth; ++i) variance += (row[i] - mean) * (row[i] - mean) / kWidth;
    for (std::size_t i = 0; i < kWidth; ++i) {
      layer.push_back((row[i] - mean) / std::sqrt(variance + 1e-5) * w[i] + b[i]);
      double square = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        const double v = row[i / kDim * kDim + j];
        square += v * v / kDim;
      }
      heads.push_back(row[i] / std::sqrt(square + 1e-6) * w[i % kDim]);
      const double z = row[i];
      tanh.push_back(0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z))));
      erf.push_back(z * 0.5 * std::erfc(-z / std::sqrt(2.0)));
    }
  }
  for (const int threads : {1, 2}) {
    const Ops ops = cpu_ops(threads);
    GuardedBuffer out(kRows, kWidth);
    const auto judge = [&](const char* what, const std::vector<double>& expected) {
      out.check_guards();
      // The largest addend of each formula bounds its rounding.
      std::vector<double> allowed;
      for (const double e : expected) allowed.push_back(8 * kEps * (std::fabs(e) + 1));
      check(compare(what, {{"row", kRows}, {"dim", kWidth}}, out.values(), expected, allowed));
    };
    ops.layernorm(in, {w.data(), DType::f32, 1, kWidth}, {b.data(), DType::f32, 1, kWidth}, 1e-5f,
                  out.tensor());
    judge("layernorm", layer);
    ops.rmsnorm(in, {w.data(), DType::f32, 1, kDim}, 1e-6f, out.tensor());
    judge("rmsnorm of heads", heads);
    ops.activate(in, Activation::gelu_tanh, out.tensor());
    judge("gelu_tanh", tanh);
    ops.activate(in, Activation::gelu_erf, out.tensor());
    judge("gelu_erf", erf);
  }
}

TEST_CASE(
    "activations: their error over the whole range, the same bits at every place, and a NaN stays one") {
  constexpr std::int64_t kCount = 200001;
  std::vector<float> z(static_cast<std::size_t>(kCount)), silu(z.size()), gelu(z.size());
  for (std::int64_t i = 0; i < kCount; ++i)
    z[static_cast<std::size_t>(i)] = static_cast<float>(i - 100000) * 1.5e-3f;
  const Ops ops = cpu_ops(2);
  const Tensor in(z.data(), DType::f32, 1, kCount);
  ops.activate(in, Activation::silu, {silu.data(), DType::f32, 1, kCount});
  ops.activate(in, Activation::gelu_tanh, {gelu.data(), DType::f32, 1, kCount});
  double silu_ulps = 0, gelu_error = 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double x = z[i];
    const double exact = x / (1 + std::exp(-x));
    if (x > -85)
      silu_ulps = std::max(silu_ulps, std::fabs(silu[i] - exact) / (kEps / 2 * std::fabs(exact) + 1e-300));
    const double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
    if (x != 0)
      gelu_error = std::max(gelu_error, std::fabs(gelu[i] - x / (1 + std::exp(-2 * u))) / std::fabs(x));
    REQUIRE(std::isfinite(silu[i]));
    REQUIRE(std::isfinite(gelu[i]));
  }
  INFO("silu " << silu_ulps << " ulp, gelu_tanh " << gelu_error);
  CHECK(silu_ulps <= 4);
  CHECK(gelu_error <= 1e-6);
  CHECK(silu.front() <= 0);
  CHECK(silu.front() > -1e-30f);
  CHECK(silu.back() == z.back());

  // Every length and start: what does not fill a vector goes through the same operations.
  for (std::int64_t n = 1; n <= 35; ++n) {
    const std::int64_t begin = 99990 + n;
    std::vector<float> part(static_cast<std::size_t>(n));
    ops.activate(in.col_slice(begin, n), Activation::silu, {part.data(), DType::f32, 1, n});
    REQUIRE(std::memcmp(part.data(), silu.data() + begin, part.size() * sizeof(float)) == 0);
  }
  std::vector<float> strange = {std::nanf(""), std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(), 0.0f, -0.0f};
  std::vector<float> out(strange.size());
  const Tensor row(strange.data(), DType::f32, 1, 5);
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    ops.activate(row, activation, {out.data(), DType::f32, 1, 5});
    CHECK(std::isnan(out[0]));
    CHECK(std::isinf(out[1]));
    CHECK(out[3] == 0);
    CHECK(out[4] == 0);
  }
}

TEST_CASE("rope turns pairs by position times frequency, keeps lengths, leaves the unrotated part alone") {
  Rng rng(2);
  constexpr int kHeadDim = 10, kRotary = 6, kHeads = 3, kRows = 4;
  const std::vector<std::int32_t> positions = {0, 1, 17, 400};
  std::vector<float> cos(401 * kRotary / 2), sin(cos.size());
  const Tensor cos_table(cos.data(), DType::f32, 401, kRotary / 2),
      sin_table(sin.data(), DType::f32, 401, kRotary / 2);
  RopeConfig config;
  config.theta = 500.0f;
  rope_angles(rope_frequencies(config, kRotary, 401), cos_table, sin_table);
  for (const RopePairs pairs : {RopePairs::interleaved, RopePairs::half}) {
    std::vector<float> x = random_floats(rng, kRows * kHeads * kHeadDim);
    std::vector<double> expected(x.begin(), x.end());
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t h = 0; h < kHeads; ++h) {
        double* head = &expected[(r * kHeads + h) * kHeadDim];
        for (std::size_t i = 0; i < kRotary / 2; ++i) {
          double& a = pairs == RopePairs::half ? head[i] : head[2 * i];
          double& b = pairs == RopePairs::half ? head[i + kRotary / 2] : head[2 * i + 1];
          const double angle = positions[r] * std::pow(500.0, -2.0 * static_cast<double>(i) / kRotary);
          const double turned = a * std::cos(angle) - b * std::sin(angle);
          b = a * std::sin(angle) + b * std::cos(angle);
          a = turned;
        }
      }
    }
    std::vector<std::int32_t> copy = positions;
    cpu_ops(2).rope({x.data(), DType::f32, kRows, kHeads * kHeadDim}, {copy.data(), DType::i32, 1, kRows},
                    {kHeadDim, kRotary, pairs, cos_table, sin_table});
    check(compare("rope", {{"row", kRows}, {"head", kHeads}, {"dim", kHeadDim}}, x, expected,
                  std::vector<double>{8 * kEps * 4}));
  }
}

TEST_CASE("a cache larger than the machine is refused before it is taken") {
  KvConfig config;
  config.layers = 64;
  config.kv_heads = 64;
  config.head_dim = 256;
  config.device = &cpu_device();
  config.max_context = 1 << 20;  // 8.8 TB
  for (const char* rung : {"contiguous", "paged", "copy_on_write"}) {
    CHECK_THROWS_WITH(variants().ladder<KvCache>().make(rung, config), testing::contains("are available"));
  }
}

TEST_CASE("stop strings: nothing of one is shown, whatever the pieces") {
  const std::string text = "abcabcabd and a stop: END. The rest.";
  const std::vector<std::string> stops = {"abcabd", "END", "zzz"};
  Rng rng(4);
  for (int round = 0; round < 200; ++round) {
    StopChecker checker(stops);
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = std::min<std::size_t>(1 + rng.below(6), text.size() - at);
      shown += checker.push(text.substr(at, n));
      at += n;
    }
    REQUIRE(checker.stopped());
    REQUIRE(shown == "abc");
    REQUIRE(checker.finish().empty());
  }
  StopChecker open({"END"});
  CHECK(open.push("the E") == "the ");
  CHECK(open.push("N").empty());
  CHECK(open.push("x") == "ENx");
  CHECK(open.push("yE") == "y");
  CHECK(open.finish() == "E");
}
