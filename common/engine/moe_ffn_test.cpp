// The mixture of experts without a model around it: the router's choice, the sum, the same bits in any batch.

#include "engine/moe_ffn.hpp"
#include "devices/cpu_device.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "catalog/variants.hpp"
#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "core/trial.hpp"
#include "ops/cpu_ops.hpp"
#include "testing/catch.hpp"

using namespace rung;

namespace {

constexpr double kEps = 0x1p-23;

ModelConfig shape(int experts, int per_token, int dim = 24, int ffn = 20) {
  ModelConfig config;
  config.dim = dim;
  config.ffn_dim = ffn;
  config.experts = experts;
  config.experts_per_token = per_token;
  return config;
}

struct Choice {
  std::vector<std::int32_t> experts;
  std::vector<float> weights;
};

/// The choice of one token among two others, so that it is not the first row.
Choice choose(const std::vector<float>& logits, int per_token, bool normalize = true) {
  ModelConfig config = shape(static_cast<int>(logits.size()), per_token);
  config.normalize_expert_weights = normalize;
  Routing routing(config, 4);
  for (std::size_t i = 0; i < 3 * logits.size(); ++i)
    routing.logits()[i] = i / logits.size() == 1 ? logits[i % logits.size()] : static_cast<float>(i % 7);
  routing.plan(3);
  const auto k = static_cast<std::size_t>(per_token);
  const auto experts = routing.experts().subspan(k, k);
  const auto weights = routing.weights().subspan(k, k);
  return {{experts.begin(), experts.end()}, {weights.begin(), weights.end()}};
}

/// All of a mixture's weights and the float64 answer.
struct Mixture {
  Mixture(const ModelConfig& config, std::uint64_t seed) : config_(config) {
    Rng rng(seed);
    const auto draw = [&](std::int64_t rows, std::int64_t cols, double deviation) {
      std::vector<float> values(static_cast<std::size_t>(rows * cols));
      for (float& v : values) v = static_cast<float>(rng.normal() * deviation);
      return values;
    };
    router = draw(config.experts, config.dim, 1);
    for (int e = 0; e < config.experts; ++e) {
      gate.push_back(draw(config.ffn_dim, config.dim, 0.2));
      up.push_back(draw(config.ffn_dim, config.dim, 0.2));
      down.push_back(draw(config.dim, config.ffn_dim, 0.2));
    }
  }

  Tensor view(std::vector<float>& values, std::int64_t rows) const {
    return {values.data(), DType::f32, rows, static_cast<std::int64_t>(values.size()) / rows};
  }

  std::unique_ptr<MoeFfn> make(const Ops& ops, const std::string& rung, int threads) {
    const auto linear = [&](std::vector<float>& values, std::int64_t rows) {
      return variants().ladder<Linear>().make(rung, {view(values, rows), threads, 64});
    };
    FusionConfig config;
    config.ops = &ops;
    fusion = variants().ladder<Fusion>().make("none", config);
    std::vector<MoeFfn::Expert> experts;
    for (std::size_t e = 0; e < gate.size(); ++e) {
      std::vector<ProductPart> parts;
      parts.push_back({linear(gate[e], config_.ffn_dim), config_.ffn_dim, {}});
      parts.push_back({linear(up[e], config_.ffn_dim), config_.ffn_dim, {}});
      experts.push_back({fusion->activated(std::move(parts)), linear(down[e], config_.dim)});
    }
    work.push_back(std::make_unique<MoeWorkspace>(cpu_device(), config_, kMaxTokens));
    const Workplace place{&cpu_device(), 0, nullptr};
    return std::make_unique<MoeFfn>(linear(router, config_.experts), std::move(experts), config_, ops, place,
                                    *work.back(), kMaxTokens);
  }

  /// One token in float64, from the formula: every expert computed, those not chosen weighted with zero.
  std::vector<double> expected(const float* x) const {
    const auto dot = [](const std::vector<float>& matrix, std::size_t row, const auto& in) {
      double sum = 0;
      for (std::size_t c = 0; c < in.size(); ++c) sum += double{matrix[row * in.size() + c]} * in[c];
      return sum;
    };
    const auto dim = static_cast<std::size_t>(config_.dim), ffn = static_cast<std::size_t>(config_.ffn_dim);
    const std::vector<double> in(x, x + dim);
    std::vector<double> logits, out(dim);
    for (std::size_t e = 0; e < gate.size(); ++e) logits.push_back(dot(router, e, in));
    std::vector<double> sorted = logits;
    std::sort(sorted.rbegin(), sorted.rend());
    const double least = sorted[static_cast<std::size_t>(config_.experts_per_token) - 1];
    double sum = 0;
    for (const double l : logits)
      if (l >= least || !config_.normalize_expert_weights) sum += std::exp(l);
    for (std::size_t e = 0; e < gate.size(); ++e) {
      if (logits[e] < least) continue;
      std::vector<double> hidden(ffn);
      for (std::size_t i = 0; i < ffn; ++i) {
        const double z = dot(gate[e], i, in);
        hidden[i] = z / (1 + std::exp(-z)) * dot(up[e], i, in);
      }
      for (std::size_t c = 0; c < dim; ++c) out[c] += std::exp(logits[e]) / sum * dot(down[e], c, hidden);
    }
    return out;
  }

  static constexpr int kMaxTokens = 40;
  std::unique_ptr<Fusion> fusion;
  std::vector<std::unique_ptr<MoeWorkspace>> work;  // one for each block that was made
  std::vector<float> router;
  std::vector<std::vector<float>> gate, up, down;

 private:
  ModelConfig config_;
};

/// `rows` tokens of x, computed at once.
std::vector<float> run(MoeFfn& moe, const ModelConfig& config, std::vector<float> x) {
  const std::int64_t rows = static_cast<std::int64_t>(x.size()) / config.dim;
  GuardedBuffer out(rows, config.dim);
  moe.run({x.data(), DType::f32, rows, config.dim}, out.tensor());
  out.check_guards();
  return out.values();
}

std::vector<float> random_rows(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> x(static_cast<std::size_t>(count));
  for (float& v : x) v = static_cast<float>(rng.normal());
  return x;
}

}  // namespace

TEST_CASE("the router takes the largest logits, best first, and weighs them by their softmax") {
  const Choice choice = choose({0.5f, 2.0f, -1.0f, 1.0f}, 2);
  CHECK(choice.experts == std::vector<std::int32_t>{1, 3});
  CHECK(choice.weights[0] == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(choice.weights[0] + choice.weights[1] == Approx(1));
  // Not normalized: the shares of the softmax over all four.
  const Choice shares = choose({0.5f, 2.0f, -1.0f, 1.0f}, 2, false);
  const double all = std::exp(0.5) + std::exp(2.0) + std::exp(-1.0) + std::exp(1.0);
  CHECK(shares.experts == choice.experts);
  CHECK(shares.weights[0] == Approx(std::exp(2.0) / all));
  CHECK(shares.weights[1] == Approx(std::exp(1.0) / all));
}

TEST_CASE("equal logits: the lower expert comes first") {
  CHECK(choose({1, 1, 1, 1, 1}, 3).experts == std::vector<std::int32_t>{0, 1, 2});
  CHECK(choose({0, 3, 1, 3, 3}, 2).experts == std::vector<std::int32_t>{1, 3});
  CHECK(choose({2, 0, 2, 5, 2}, 3).experts == std::vector<std::int32_t>{3, 0, 2});
  for (const float weight : choose({1, 1, 1, 1, 1}, 4).weights) CHECK(weight == 0.25f);
}

TEST_CASE("one expert of one, one of many, all of them") {
  CHECK(choose({-80.0f}, 1).weights == std::vector<float>{1});
  const Choice one = choose({0.1f, 0.3f, 0.2f}, 1);
  CHECK(one.experts == std::vector<std::int32_t>{1});
  CHECK(one.weights == std::vector<float>{1});
  const Choice all = choose({0.1f, 0.3f, 0.2f}, 3);
  CHECK(all.experts == std::vector<std::int32_t>{1, 2, 0});
  CHECK(std::accumulate(all.weights.begin(), all.weights.end(), 0.0) == Approx(1));
  // Far apart: no overflow, the rest gets nothing.
  CHECK(choose({-3e4f, 3e4f, 0}, 2).weights == std::vector<float>{1, 0});
}

TEST_CASE("logits that are no numbers choose experts all the same, each once") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (const auto& logits : {std::vector{nan, nan, nan, nan}, std::vector{1.0f, nan, inf, -inf},
                             std::vector{-inf, -inf, -inf, -inf}, std::vector{inf, inf, nan, 0.0f}}) {
    std::vector<std::int32_t> experts = choose(logits, 4).experts;
    std::sort(experts.begin(), experts.end());
    CHECK(experts == std::vector<std::int32_t>{0, 1, 2, 3});
  }
}

TEST_CASE("rows grouped by expert: every choice has its place, in the order of the tokens") {
  const ModelConfig config = shape(7, 3);
  Routing routing(config, 30);
  Rng rng(5);
  for (const int tokens : {0, 1, 30, 11}) {  // a smaller step after a larger one
    for (float& logit : routing.logits()) logit = static_cast<float>(rng.normal());
    routing.plan(tokens);
    REQUIRE(routing.sources().size() == static_cast<std::size_t>(3 * tokens));
    CHECK(routing.begin(0) == 0);
    CHECK(routing.begin(7) == 3 * tokens);
    std::vector<int> seen(routing.sources().size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      const std::int32_t place = routing.places()[i], expert = routing.experts()[i];
      REQUIRE(routing.begin(expert) <= place);
      REQUIRE(place < routing.begin(expert + 1));
      REQUIRE(routing.sources()[static_cast<std::size_t>(place)] == static_cast<std::int32_t>(i / 3));
      ++seen[static_cast<std::size_t>(place)];
    }
    CHECK(std::count(seen.begin(), seen.end(), 1) == static_cast<std::ptrdiff_t>(seen.size()));
    for (int e = 0; e < 7; ++e) {
      const auto from = routing.sources().begin();
      CHECK(std::is_sorted(from + routing.begin(e), from + routing.begin(e + 1)));
    }
  }
}

TEST_CASE("a mixture is the weighted sum of its experts, against float64") {
  for (const auto& [experts, per_token] :
       {std::pair{1, 1}, std::pair{8, 2}, std::pair{5, 3}, std::pair{4, 4}, std::pair{6, 1}}) {
    for (const bool normalize : {true, false}) {
      ModelConfig config = shape(experts, per_token);
      config.normalize_expert_weights = normalize;
      Mixture mixture(config, 3);
      constexpr std::int64_t kRows = 13;
      const std::vector<float> x = random_rows(kRows * config.dim, 9);
      std::vector<double> expected;
      for (std::int64_t t = 0; t < kRows; ++t) {
        const auto row = mixture.expected(&x[static_cast<std::size_t>(t * config.dim)]);
        expected.insert(expected.end(), row.begin(), row.end());
      }
      double norm = 0;
      for (const double e : expected) norm = std::max(norm, std::fabs(e));
      REQUIRE(norm > 0.1);
      const Ops ops = cpu_ops(2);
      const auto got = run(*mixture.make(ops, "auto", 2), config, x);
      // Three sums in a row; the router's exponent multiplies the error of its logit, at most about 4 *
      // dim^0.5.
      const double allowed = 8 * kEps * std::sqrt(2.0 * config.dim + config.ffn_dim) * norm;
      const Verdict verdict = compare("mixture", {{"token", kRows}, {"dim", config.dim}}, got, expected,
                                      std::vector<double>{allowed});
      INFO(experts << " experts, " << per_token << " per token: " << verdict.message);
      CHECK(verdict.status == Verdict::Status::passed);
    }
  }
}

TEST_CASE("a token's result is bitwise the same alone and in a batch, for every rung and any threads") {
  const ModelConfig config = shape(5, 3);
  Mixture mixture(config, 4);
  constexpr std::int64_t kRows = 33;
  const std::vector<float> x = random_rows(kRows * config.dim, 10);
  for (const RungInfo& rung : variants().ladder<Linear>().rungs()) {
    const LinearConfig router{Tensor(nullptr, DType::f32, 0, 0), 1, 1};
    if (rung.exercise || !rung.batch_invariant || !variants().ladder<Linear>().supports(rung.name, router))
      continue;
    INFO(rung.name);
    const Ops ops = cpu_ops(2), single = cpu_ops(1);
    const auto moe = mixture.make(ops, rung.name, 2), alone = mixture.make(single, rung.name, 1);
    const auto together = run(*moe, config, x);
    for (std::size_t t = 0; t < kRows; ++t) {
      const auto dim = static_cast<std::size_t>(config.dim);
      const auto from = x.begin() + static_cast<std::ptrdiff_t>(t * dim);
      const auto row = run(*alone, config, {from, from + config.dim});
      REQUIRE(std::memcmp(row.data(), &together[t * dim], dim * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("the workspace counts what it takes") {
  const ModelConfig config = shape(5, 3);
  const MoeWorkspace work(cpu_device(), config, 40);
  CHECK(work.bytes() == 40 * 5 * 4 + 40 * 3 * 24 * 4 + 3 * 40 * 3 * 4);
}
