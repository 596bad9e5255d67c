#include "measure/bench_report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "catalog/variants.hpp"
#include "core/parallel.hpp"
#include "core/rng.hpp"
#include "core/timer.hpp"

namespace rung {
namespace {

/// The number of a layer's experts that a step of `tokens` reads if every token chooses uniformly. If tokens
/// prefer some experts, it is smaller.
double experts_read(const ModelConfig& m, double tokens) {
  return m.experts * (1 - std::pow(1 - 1.0 * m.experts_per_token / m.experts, tokens));
}

}  // namespace

std::string BenchTest::name() const {
  if (!decode()) return fmt::format("pp{}", prompt);
  return context == 1 ? fmt::format("tg{}", steps) : fmt::format("tg{} @ {}", steps, context);
}

double kv_bytes_per_token(const ModelConfig& model, DType type) {
  return static_cast<double>(model.kv_bytes_per_token(1)) * traits(type).block_bytes /
         traits(type).block_elements;
}

BenchWork bench_work(const Model& model, const EngineConfig& config, const BenchTest& test) {
  const ModelConfig& m = model.config;
  const int batch = test.batch, prompt = test.prompt;
  const double ffn = m.experts == 0 ? 3.0 * m.ffn_dim : 3.0 * m.ffn_dim * m.experts_per_token + m.experts;
  const double products = static_cast<double>(m.layers) * m.dim *
                          (2.0 * m.heads * m.head_dim + 2.0 * m.kv_heads * m.head_dim + ffn);
  const double output = static_cast<double>(m.dim) * m.vocab_size;
  // A step reads all weights except the embedding table, of which it needs one row per token.
  double weight_bytes = static_cast<double>(model.weights.bytes());
  if (!m.tied_embeddings) weight_bytes -= static_cast<double>(model.weights.token_embedding.bytes());
  if (m.experts != 0) {
    double one_of_each_layer = 0;
    for (const LayerWeights& layer : model.weights.layers) {
      const ExpertWeights& e = layer.experts.front();
      one_of_each_layer += static_cast<double>(e.gate.bytes() + e.up.bytes() + e.down.bytes());
    }
    const double tokens =
        test.decode() ? batch : std::min(1.0 * batch * prompt, 1.0 * config.max_step_tokens);
    weight_bytes -= one_of_each_layer * (m.experts - experts_read(m, tokens));
  }
  const double kv_token = kv_bytes_per_token(m, config.kv_type);
  const double attention_flops = 4.0 * m.layers * m.heads * m.head_dim;  // per query and key: q.k and p*v

  BenchWork work;
  if (test.decode()) {
    for (int s = 0; s < test.steps; ++s) {
      const double context = test.context + s;
      work.bytes += weight_bytes + batch * kv_token * context;
      work.product_flops += batch * 2.0 * (products + output);
      work.attention_flops += batch * attention_flops * context;
    }
  } else {
    const double total = static_cast<double>(batch) * prompt;
    const double chunks = std::ceil(total / config.max_step_tokens);
    work.bytes = chunks * weight_bytes + total * kv_token;
    work.product_flops = total * 2.0 * products + batch * 2.0 * output;
    work.attention_flops = batch * attention_flops * 0.5 * prompt * (prompt + 1.0);
  }
  return work;
}

BenchRepetition run_bench_test(Engine& engine, const BenchTest& test, std::uint64_t seed,
                               const std::function<void()>& poll) {
  const auto vocab = static_cast<std::uint64_t>(engine.model().config.vocab_size);
  std::vector<int> ids;
  const std::int64_t sampled = engine.stats().output_tokens;
  for (int i = 0; i < test.batch; ++i) {
    Request request;
    Rng rng(seed * 1000 + static_cast<std::uint64_t>(i));
    for (int t = 0; t < (test.decode() ? test.context : test.prompt); ++t)
      request.prompt.push_back(static_cast<std::int32_t>(rng.below(vocab)));
    request.max_tokens = test.decode() ? test.steps + 1 : 1;
    request.sampling.temperature = 0;
    request.ignore_end = true;
    ids.push_back(engine.submit(std::move(request)));
  }
  // The steps that compute the context also sample the first token of each sequence, which is not counted.
  while (test.decode() && engine.stats().output_tokens - sampled < test.batch && engine.step()) poll();
  BenchRepetition result;
  const std::int64_t regions = parallel_regions;
  const Timer timer;
  for (; engine.step(); ++result.steps) poll();
  result.seconds = timer.seconds();
  result.parallel_regions = parallel_regions - regions;
  for (const int id : ids) engine.take(id);
  return result;
}

BenchRow bench_row(const Engine& engine, const BenchTest& test, std::span<const MachineLimits> limits,
                   std::span<const double> seconds) {
  const BenchWork work = bench_work(engine.model(), engine.config(), test);
  const Arithmetic arithmetic = arithmetic_of(variants(), engine.rungs().at("linear"));
  std::vector<double> sorted(seconds.begin(), seconds.end());
  std::sort(sorted.begin(), sorted.end());
  const double median_s = sorted[sorted.size() / 2];
  BenchRow row;
  row.test = test;
  row.tok_s = test.tokens() / median_s;
  row.tok_s_min = test.tokens() / sorted.back();
  row.tok_s_max = test.tokens() / sorted.front();
  row.bytes_per_s = work.bytes / median_s;
  row.flops_per_s = (work.product_flops + work.attention_flops) / median_s;
  row.nearest =
      nearest_limit({work.bytes, work.product_flops, work.attention_flops, arithmetic}, limits, seconds);
  row.fused = engine.fused();
  row.rungs = engine.rungs();
  return row;
}

Json to_json(const BenchRow& row) {
  return {{"test", row.test.name()},
          {"batch", row.test.batch},
          {"tok_s", row.tok_s},
          {"tok_s_min", row.tok_s_min},
          {"tok_s_max", row.tok_s_max},
          {"gb_s", row.bytes_per_s * 1e-9},
          {"gflop_s", row.flops_per_s * 1e-9},
          {"limit", row.nearest.limit.name},
          {"limit_value", row.nearest.limit.per_s * 1e-9},
          {"pct_of_limit", 100 * row.nearest.share},
          {"fused",
           {{"layers", row.fused.layers},
            {"qkv", row.fused.qkv},
            {"gate_up", row.fused.gate_up},
            {"add_norm", row.fused.add_norm},
            {"rope_store", row.fused.rope_store}}},
          {"rungs", rungs_json(row.rungs)},
          {"parallel_regions", row.parallel_regions},
          {"other_load", row.other_load}};
}

}  // namespace rung
