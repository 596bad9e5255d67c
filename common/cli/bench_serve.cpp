// rung bench-serve: sends many requests to the engine as they arrive, and reports what each of them
// experienced.
//
// Rungs of the seams `workload` and `arrivals` choose the requests and their times (serve_load.cpp).
// seams/serving_metrics.hpp defines the figures. The prompts are random token ids, because the figures do not
// depend on what the model makes of them. A request that follows another one begins with that request's
// prompt and with the answer that it received.

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "cli/serve_load.hpp"
#include "cli/serve_run.hpp"
#include "measure/serving_report.hpp"
#include "seams/quantile.hpp"

namespace rung::cli {
namespace {

struct BenchServeCommand {
  RunOptions run;
  ServeLoadOptions load;
  ServiceTargets targets;
  int sequences = 16, step_tokens = 256, timeline = 0;

  void execute(bool json) const;
};

void print_latencies(const ServingReport& r) {
  fmt::print("  {:<28} {:>10} {:>10} {:>10} {:>10}\n", "ms", "mean", "p50", "p90", "p99");
  const auto row = [](const char* name, const LatencySummary& s) {
    fmt::print("  {:<28} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", name, 1e3 * s.mean, 1e3 * s.p50,
               1e3 * s.p90, 1e3 * s.p99);
  };
  row("TTFT (first token)", r.ttft_s);
  row("ITL (between tokens)", r.itl_s);
  row("TPOT (per output token)", r.tpot_s);
  row("E2E (whole request)", r.e2e_s);
  if (r.refused > 0) {
    fmt::print(
        "\n  {} requests found the queue full or followed such a request; the times above do not include "
        "them\n",
        r.refused);
  }
  if (!r.users.empty()) fmt::print("\n");
  for (const UserLatency& u : r.users) {
    fmt::print("  user {:<3} {:4} requests: TTFT {:9.1f} {:>10.1f} {:>10.1f} {:>10.1f}, E2E P99 {:.1f}\n",
               u.user, u.requests, 1e3 * u.ttft_s.mean, 1e3 * u.ttft_s.p50, 1e3 * u.ttft_s.p90,
               1e3 * u.ttft_s.p99, 1e3 * u.e2e_s.p99);
  }
}

void print(const ServingReport& r) {
  fmt::print(
      "{} requests, {} prompt and {} output tokens in {:.2f} s: {:.1f} output tokens/s, {:.2f} "
      "requests/s\n\n",
      r.requests, r.prompt_tokens, r.output_tokens, r.duration_s, r.output_tok_s, r.request_s);
  print_latencies(r);
  if (r.has_targets) {
    fmt::print("\n  {} of {} requests kept the targets: a goodput of {:.2f} requests/s\n", r.kept_targets,
               r.requests, r.goodput_request_s);
  }
  if (r.cache.hits > 0) {
    fmt::print(
        "\n  prefix cache: {:.1f} % of the prompts' tokens; {} hits with a median TTFT of {:.1f} ms, {} "
        "misses with {:.1f} ms\n",
        100 * r.cache.hit_rate, r.cache.hits, 1e3 * r.cache.hit_ttft_s.p50, r.cache.misses,
        1e3 * r.cache.miss_ttft_s.p50);
  }
  fmt::print(
      "\n  {} steps; KV cache {:.0f} % taken, {:.1f} % of that wasted; {} preemptions, {} swapped, {} tokens "
      "computed twice\n  of the time, scheduling took {:.2f} % and all that is neither model nor sampler "
      "{:.2f} %; scheduler {}, policy {}, kv {}\n",
      r.stats.steps, 100 * r.kv.taken, 100 * r.kv.waste, r.stats.preemptions, r.stats.swaps,
      r.stats.recomputed_tokens, 100 * r.schedule_share(), 100 * r.stats.own_share(), r.rungs.at("scheduler"),
      r.rungs.at("policy"), r.rungs.at("kv"));
}

void BenchServeCommand::execute(bool json) const {
  EngineConfig config = run.config();
  const std::string quantile = config.rung("quantile");
  variants().ladder<Quantile>().choose(quantile, {});  // refuses an unknown rung before the run
  const Workload requests = load.make(config);
  const auto model = run.load();
  config.max_sequences = sequences;
  config.max_step_tokens = step_tokens;
  fit_to_load(config, requests, model->config);
  Engine engine(model, variants(), config);
  ServeRun serving(engine, requests, load.seed + 1, timeline);
  Progress progress("bench-serve");
  serving.execute([&](double done) { progress.update(done); });

  ServingReport report = serving_report(engine, variants(), serving.record(), targets, quantile);
  report.left_out = requests.left_out;
  report.rate = load.rate;
  report.workload = load.workload_rung(run.config());
  report.arrivals = load.arrivals_rung(run.config());
  if (timeline > 0) report.timeline = serving.timeline();
  if (json) return print_json(to_json(report));
  print(report);
}

}  // namespace

void add_bench_serve(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "bench-serve",
                  "send many requests to the engine and report their latencies and the throughput");
  const auto c = std::make_shared<BenchServeCommand>();
  c->run.add_to(*command);
  c->load.add_to(*command);
  command
      ->add_option("--max-sequences", c->sequences, "largest number of sequences that run at the same time")
      ->range(1);
  command->add_option("--max-step-tokens", c->step_tokens, "largest number of tokens that one step computes")
      ->range(1);
  command
      ->add_option("--slo-ttft", c->targets.ttft_s,
                   "target for the time to first token in seconds; goodput counts the requests that meet all "
                   "targets (default: no target)")
      ->range(0.0);
  command
      ->add_option("--slo-tpot", c->targets.tpot_s,
                   "target for the time per output token in seconds (default: no target)")
      ->range(0.0);
  command
      ->add_option("--slo-e2e", c->targets.e2e_s,
                   "target for the time from arrival to the last token in seconds (default: no target)")
      ->range(0.0);
  command
      ->add_option("--timeline", c->timeline,
                   "with --json: report the states of the first N requests over time, and samples of the KV "
                   "cache (default: 0, none)")
      ->range(0, 100000);
  command->footer(
      "Examples:\n"
      "  rung bench-serve --requests 200 --rate 20\n"
      "  rung bench-serve --requests 100 --rate inf --scheduler static_batch --json\n"
      "  rung bench-serve --trace azure.csv.gz --arrivals trace --time-scale 0.1 --max-length 512");
  command->callback([&program, c] { program.run = [&program, c] { c->execute(program.json); }; });
}

}  // namespace rung::cli
