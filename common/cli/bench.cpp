// rung bench: tokens per second of prefill and decode, as a share of what this machine can do.
//
// Like llama-bench: "pp512" is one prompt of 512 tokens per sequence, "tg128" the 128 tokens after an
// empty context, here for every batch size. The first decode token is not counted. Every repetition is
// timed by itself; the median is printed, with the slowest and the fastest beside it. With --remeasure the
// machine's limits are measured before each repetition, which is then a share of those.

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/parallel.hpp"
#include "core/rng.hpp"
#include "core/simd.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

/// How many of a layer's experts a step of `tokens` reads, when every token chooses without preference. With
/// preference it is fewer.
double experts_read(const ModelConfig& m, double tokens) {
  return m.experts * (1 - std::pow(1 - 1.0 * m.experts_per_token / m.experts, tokens));
}

/// What one test has to move and compute at least, over all its steps. Weights are read once per step (of a
/// mixture: those of the experts chosen); keys and values once per query chunk; two flops per weight and
/// token, and per cached number and query head.
struct BenchWork {
  double bytes = 0;
  double product_flops = 0;    // of the linear layers
  double attention_flops = 0;  // always in float32
};
BenchWork work_of(const Model& model, const EngineConfig& config, int batch, int prompt, int steps) {
  const ModelConfig& m = model.config;
  const bool decode = prompt == 0;
  const double ffn = m.experts == 0 ? 3.0 * m.ffn_dim : 3.0 * m.ffn_dim * m.experts_per_token + m.experts;
  const double products = static_cast<double>(m.layers) * m.dim *
                          (2.0 * m.heads * m.head_dim + 2.0 * m.kv_heads * m.head_dim + ffn);
  const double output = static_cast<double>(m.dim) * m.vocab_size;
  // A step reads all weights but the embedding table, of which it needs one row per token.
  double weight_bytes = static_cast<double>(model.weights.bytes());
  if (!m.tied_embeddings) weight_bytes -= static_cast<double>(model.weights.token_embedding.bytes());
  if (m.experts != 0) {
    double one_of_each_layer = 0;
    for (const LayerWeights& layer : model.weights.layers) {
      const ExpertWeights& e = layer.experts.front();
      one_of_each_layer += static_cast<double>(e.gate.bytes() + e.up.bytes() + e.down.bytes());
    }
    const double tokens = decode ? batch : std::min(1.0 * batch * prompt, 1.0 * config.max_step_tokens);
    weight_bytes -= one_of_each_layer * (m.experts - experts_read(m, tokens));
  }
  const double kv_token = static_cast<double>(m.kv_bytes_per_token(1)) * traits(config.kv_type).block_bytes /
                          traits(config.kv_type).block_elements;
  const double attention_flops = 4.0 * m.layers * m.heads * m.head_dim;  // per query and key: q.k and p*v

  BenchWork work;
  if (decode) {
    for (int s = 0; s < steps; ++s) {
      const double context = s + 1;
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

struct BenchCommand {
  RunOptions run;
  int prompt = 512;
  int generate = 128;
  std::vector<int> batches = {1};
  int repeats = 5;
  bool remeasure = false;

  Request request(const Model& model, int prompt_tokens, int new_tokens, std::uint64_t seed) const {
    Request r;
    Rng rng(seed);
    for (int i = 0; i < prompt_tokens; ++i) {
      r.prompt.push_back(
          static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model.config.vocab_size))));
    }
    r.max_tokens = new_tokens;
    r.sampling.temperature = 0;
    r.ignore_end = true;
    return r;
  }

  struct Repetition {
    double seconds = 0;
    std::int64_t steps = 0;             // forward passes
    std::int64_t parallel_regions = 0;  // how often threads were sent out in them
  };

  /// One repetition; the work inside the measured part is that of work_of().
  Repetition repetition(Engine& engine, bool decode, int batch, int repeat) const {
    std::vector<int> ids;
    for (int i = 0; i < batch; ++i) {
      const auto seed = static_cast<std::uint64_t>(repeat * 1000 + i);
      // Decode starts from one token; its step is the first, uncounted token.
      ids.push_back(
          engine.submit(request(engine.model(), decode ? 1 : prompt, decode ? generate + 1 : 1, seed)));
    }
    if (decode) engine.step();
    Repetition result;
    const std::int64_t regions = parallel_regions;
    const Timer timer;
    for (; engine.step(); ++result.steps) check_interrupted();
    result.seconds = timer.seconds();
    result.parallel_regions = parallel_regions - regions;
    for (const int id : ids) engine.take(id);
    return result;
  }

  void execute(bool json) {
    if (batches.empty()) fail_usage("-b names no batch size");
    if (prompt == 0 && generate == 0) {
      fail_usage("-p {} -n {}: give at least one of them a positive count", prompt, generate);
    }
    EngineConfig config = run.config();
    const auto model = run.load();
    if (config.context == 0) config.context = std::max(prompt + 1, generate + 1);
    config.max_sequences = *std::max_element(batches.begin(), batches.end());
    Engine engine(model, variants(), config);
    const int threads = engine.config().threads;
    if (!json && !remeasure) tell("measuring this machine's limits (cached; --remeasure repeats it)\n");
    const MachineLimits limits = limits_of_machine(variants(), config.rung("bandwidth"), threads, remeasure);
    std::optional<LimitsMeter> meter;
    if (remeasure) meter.emplace(threads, read_loop(variants(), config.rung("bandwidth"), threads));
    tell("{}: {:.1f} GB/s read, {:.0f} GFLOP/s float32, {:.0f} GOP/s int8, {} threads, {}\n", machine_name(),
         limits.read_bytes_per_s * 1e-9, limits.fma_flops_per_s * 1e-9, limits.int8_ops_per_s * 1e-9, threads,
         simd_name(simd_level()));

    Json rows = Json::array();
    Progress progress("bench");
    const OtherLoad others;
    const double jobs = static_cast<double>(batches.size()) * (repeats + 1) * ((prompt > 0) + (generate > 0));
    double done = 0;
    for (const bool decode : {false, true}) {
      if ((decode ? generate : prompt) == 0) continue;
      for (const int batch : batches) {
        std::vector<double> seconds;
        std::vector<MachineLimits> passes;
        Repetition last;
        for (int repeat = -1; repeat < repeats; ++repeat) {  // the first one only warms up
          if (meter && repeat >= 0) passes.push_back(meter->pass());
          last = repetition(engine, decode, batch, repeat + 1);
          if (repeat >= 0) seconds.push_back(last.seconds);
          progress.update(++done / jobs);
        }
        if (!meter) passes.assign(seconds.size(), limits);
        rows.push_back(row(engine, passes, decode, batch, std::move(seconds)));
        rows.back()["parallel_regions"] =
            static_cast<double>(last.parallel_regions) / static_cast<double>(last.steps);
      }
    }
    for (Json& each : rows) each["other_load"] = others.processors();
    if (json) {
      print_json(rows);
    } else {
      print_table(rows, engine);
      print_note(others);
    }
  }

  /// `limits`: of the machine, when each repetition began.
  Json row(const Engine& engine, std::span<const MachineLimits> limits, bool decode, int batch,
           std::vector<double> seconds) const {
    const double tokens = static_cast<double>(batch) * (decode ? generate : prompt);
    const BenchWork work = work_of(engine.model(), engine.config(), batch, decode ? 0 : prompt, generate);
    const Arithmetic arithmetic = arithmetic_of(variants(), engine.rungs().at("linear"));
    const NearestLimit nearest =
        nearest_limit({work.bytes, work.product_flops, work.attention_flops, arithmetic}, limits, seconds);
    std::sort(seconds.begin(), seconds.end());
    const double median = seconds[seconds.size() / 2];
    Json r;
    r["test"] = decode ? fmt::format("tg{}", generate) : fmt::format("pp{}", prompt);
    r["batch"] = batch;
    r["tok_s"] = tokens / median;
    r["tok_s_min"] = tokens / seconds.back();
    r["tok_s_max"] = tokens / seconds.front();
    r["gb_s"] = work.bytes * 1e-9 / median;
    r["gflop_s"] = (work.product_flops + work.attention_flops) * 1e-9 / median;
    r["limit"] = nearest.limit.name;
    r["limit_value"] = nearest.limit.per_s * 1e-9;
    r["pct_of_limit"] = 100 * nearest.share;
    const FusedSteps fused = engine.fused();
    r["fused"] = {{"layers", fused.layers},
                  {"qkv", fused.qkv},
                  {"gate_up", fused.gate_up},
                  {"add_norm", fused.add_norm},
                  {"rope_store", fused.rope_store}};
    r["rungs"] = rungs_json(engine);
    return r;
  }

  static void print_table(const Json& rows, const Engine& engine) {
    const ModelConfig& m = engine.model().config;
    const FusedSteps fused = engine.fused();
    fmt::print("{} {}, {:.1f} MB of weights; linear {}, attention {}\n", m.architecture, m.name,
               static_cast<double>(engine.memory().weights_bytes) * 1e-6, engine.rungs().at("linear"),
               engine.rungs().at("attention"));
    fmt::print("fusion {}: in {} layers qkv {}, gate_up {}, add_norm {}, rope_store {} times\n\n",
               engine.rungs().at("fusion"), fused.layers, fused.qkv, fused.gate_up, fused.add_norm,
               fused.rope_store);
    fmt::print("| {:8} | {:>5} | {:>10} | {:>21} | {:>8} | {:>9} | {:>24} | {:>6} |\n", "test", "batch",
               "tok/s", "slowest - fastest", "GB/s", "GFLOP/s", "limit", "of it");
    fmt::print("|{0:-<10}|{0:->6}:|{0:->11}:|{0:->22}:|{0:->9}:|{0:->10}:|{0:->25}:|{0:->7}:|\n", "");
    for (const Json& r : rows) {
      const char* limit = r["limit"] == "read_bandwidth" ? "GB/s read"
                          : r["limit"] == "int8_rate"    ? "GOP/s int8"
                          : r["limit"] == "bf16_rate"    ? "GFLOP/s bf16"
                                                         : "GFLOP/s fma";
      fmt::print("| {:8} | {:5} | {:10.2f} | {:>21} | {:8.2f} | {:9.1f} | {:>24} | {:4.0f} % |\n",
                 r["test"].get<std::string>(), r["batch"].get<int>(), r["tok_s"].get<double>(),
                 fmt::format("{:.2f} - {:.2f}", r["tok_s_min"].get<double>(), r["tok_s_max"].get<double>()),
                 r["gb_s"].get<double>(), r["gflop_s"].get<double>(),
                 fmt::format("{:.1f} {}", r["limit_value"].get<double>(), limit),
                 r["pct_of_limit"].get<double>());
    }
  }
};

}  // namespace

void add_bench(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "bench", "tokens per second, and the share of this machine's limits");
  const auto state = std::make_shared<BenchCommand>();
  state->run.add_to(*command);
  command->add_option("-p,--prompt", state->prompt, "prompt tokens of the prefill test; 0: none")->range(0);
  command->add_option("-n,--tokens", state->generate, "tokens of the decode test; 0: none")->range(0);
  command->add_option("-b,--batch", state->batches, "sequences at a time, comma-separated")
      ->range(1, 4096)
      ->delimiter(',');
  command->add_option("-r,--repeats", state->repeats, "measured repetitions")->range(1, 10000);
  command->add_flag("--remeasure", state->remeasure,
                    "measure the machine's limits again, and before each repetition");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
