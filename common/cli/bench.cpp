// rung bench: measures tokens per second of prefill and decode, as a share of what this machine can do.
//
// The tests have llama-bench's names. "pp512" computes one prompt of 512 tokens per sequence, and "tg128"
// decodes 128 tokens after an empty context, for every batch size. The first decoded token is not counted.
// Every repetition is timed by itself. The table has the median, the slowest and the fastest repetition. With
// --remeasure, the machine's limits are measured before each repetition, which is then compared with those.

#include <algorithm>
#include <optional>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "core/simd.hpp"
#include "measure/bench_report.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

struct BenchCommand {
  RunOptions run;
  int prompt = 512;
  int generate = 128;
  std::vector<int> batches = {1};
  int repeats = 5;
  bool remeasure = false;

  void execute(bool json) {
    if (batches.empty()) fail_usage("-b is empty; give at least one batch size, such as -b 1,8");
    if (prompt == 0 && generate == 0) {
      fail_usage(
          "-p is {} and -n is {}, so there is nothing to measure; give a positive number for at least one of "
          "them",
          prompt, generate);
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
    tell("{}: {}, {} threads, {}\n", machine_name(), describe(limits), threads, simd_name(simd_level()));

    std::vector<BenchRow> rows;
    Progress progress("bench");
    const OtherLoad others;
    const double jobs = static_cast<double>(batches.size()) * (repeats + 1) * ((prompt > 0) + (generate > 0));
    double done = 0;
    for (const bool decode : {false, true}) {
      if ((decode ? generate : prompt) == 0) continue;
      for (const int batch : batches) {
        const BenchTest test{batch, decode ? 0 : prompt, generate};
        std::vector<double> seconds;
        std::vector<MachineLimits> passes;
        BenchRepetition last;
        for (int repeat = -1; repeat < repeats; ++repeat) {  // the first one only warms up
          if (meter && repeat >= 0) passes.push_back(meter->pass());
          last = run_bench_test(engine, test, static_cast<std::uint64_t>(repeat + 1), check_interrupted);
          if (repeat >= 0) seconds.push_back(last.seconds);
          progress.update(++done / jobs);
        }
        if (!meter) passes.assign(seconds.size(), limits);
        rows.push_back(bench_row(engine, test, passes, seconds));
        rows.back().parallel_regions =
            static_cast<double>(last.parallel_regions) / static_cast<double>(last.steps);
      }
    }
    for (BenchRow& row : rows) row.other_load = others.processors();
    if (json) {
      Json document = Json::array();
      for (const BenchRow& row : rows) document.push_back(to_json(row));
      print_json(document);
    } else {
      print_engine(engine);
      print(rows);
      print_note(others);
    }
  }

  static void print_engine(const Engine& engine) {
    const ModelConfig& m = engine.model().config;
    const FusedSteps fused = engine.fused();
    fmt::print("{} {}, {:.1f} MB of weights; linear {}, attention {}\n", m.architecture, m.name,
               static_cast<double>(engine.memory().weights_bytes) * 1e-6, engine.rungs().at("linear"),
               engine.rungs().at("attention"));
    fmt::print("fusion {}: in {} layers qkv {}, gate_up {}, add_norm {}, rope_store {} times\n\n",
               engine.rungs().at("fusion"), fused.layers, fused.qkv, fused.gate_up, fused.add_norm,
               fused.rope_store);
  }

  static void print(const std::vector<BenchRow>& rows) {
    fmt::print("| {:8} | {:>5} | {:>10} | {:>21} | {:>8} | {:>9} | {:>24} | {:>6} |\n", "test", "batch",
               "tok/s", "slowest - fastest", "GB/s", "GFLOP/s", "limit", "of it");
    fmt::print("|{0:-<10}|{0:->6}:|{0:->11}:|{0:->22}:|{0:->9}:|{0:->10}:|{0:->25}:|{0:->7}:|\n", "");
    for (const BenchRow& r : rows) {
      fmt::print("| {:8} | {:5} | {:10.2f} | {:>21} | {:8.2f} | {:9.1f} | {:>24} | {:4.0f} % |\n",
                 r.test.name(), r.test.batch, r.tok_s,
                 fmt::format("{:.2f} - {:.2f}", r.tok_s_min, r.tok_s_max), r.bytes_per_s * 1e-9,
                 r.flops_per_s * 1e-9, describe(r.nearest.limit), 100 * r.nearest.share);
    }
  }
};

}  // namespace

void add_bench(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "bench",
                  "measure tokens per second and the share of this machine's limits that they reach");
  const auto state = std::make_shared<BenchCommand>();
  state->run.add_to(*command);
  command
      ->add_option("-p,--prompt", state->prompt,
                   "number of prompt tokens in the prefill test; 0 skips this test")
      ->range(0);
  command
      ->add_option("-n,--tokens", state->generate, "number of tokens in the decode test; 0 skips this test")
      ->range(0);
  command
      ->add_option(
          "-b,--batch", state->batches,
          "batch sizes, separated by commas: the number of sequences that run at the same time (default: 1)")
      ->range(1, 4096)
      ->delimiter(',');
  command->add_option("-r,--repeats", state->repeats, "number of measured repetitions of each test")
      ->range(1, 10000);
  command->add_flag(
      "--remeasure", state->remeasure,
      "measure the machine's limits again before each repetition, instead of using the stored ones");
  command->callback([&program, state] { program.run = [&program, state] { state->execute(program.json); }; });
}

}  // namespace rung::cli
