// rung bench-serve: many requests on the engine, as they arrive, and what each of them experienced.
//
// Metrics, as `vllm bench serve` defines them: TTFT, from arrival to the first token; ITL, from one token to
// the next; TPOT, (E2E - TTFT) / (output tokens - 1); E2E, from arrival to the last token. Throughput is
// output tokens over the time from the first arrival to the last token. Prompts are random ids: what a model
// makes of them does not matter here.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "cli/cli.hpp"
#include "core/rng.hpp"
#include "engine/variants.hpp"
#include "seams/serving_simulation.hpp"

namespace rung::cli {
namespace {

struct Range {
  int low = 1, high = 1;
};

/// "100" or "10-200".
Range range_from(const std::string& flag, const std::string& text) {
  Range range;
  int used = 0;
  const bool both = std::sscanf(text.c_str(), "%d-%d%n", &range.low, &range.high, &used) == 2;
  if (!both) {
    range.high = std::sscanf(text.c_str(), "%d%n", &range.low, &used) == 1 ? range.low : 0;
  }
  if (used != static_cast<int>(text.size()) || range.low < 1 || range.high < range.low) {
    fail_usage("{} {} is no length; write 100, or 10-200 for lengths between", flag, text);
  }
  return range;
}

struct ServeLoad {
  double arrival_s = 0;
  int prompt = 1, output = 1;
};

struct BenchServeCommand {
  RunOptions run;
  int shared_prefix = 0;  // tokens with which all prompts begin, before their own
  int requests = 64, sequences = 16, step_tokens = 256, users = 1;
  double rate = 0, length_scale = 1, slo_ttft = 0, slo_tpot = 0;
  std::string prompt = "8-64", output = "8-64", trace;
  std::uint64_t seed = 1;

  std::vector<ServeLoad> load() const;
  void execute(bool json) const;
};

/// Lines ",prompt tokens,output tokens" at the end of each: the Azure LLM inference traces. Lengths are
/// scaled, arrivals are made anew by --rate.
std::vector<ServeLoad> read_trace(const std::string& path, int requests, double scale) {
  std::ifstream file(path);
  if (!file) fail("{} cannot be read", path);
  std::vector<ServeLoad> load;
  std::string line;
  std::getline(file, line);
  while (static_cast<int>(load.size()) < requests && std::getline(file, line)) {
    const std::size_t last = line.rfind(',');
    const std::size_t first = last == std::string::npos || last == 0 ? last : line.rfind(',', last - 1);
    int prompt = 0, output = 0;
    if (first == std::string::npos || std::sscanf(line.c_str() + first, ",%d,%d", &prompt, &output) != 2) {
      fail("{}: line '{}' does not end in two counts of tokens", path, line);
    }
    const auto scaled = [&](int n) { return std::max(1, static_cast<int>(std::lround(n * scale))); };
    load.push_back({0, scaled(prompt), scaled(output)});
  }
  if (load.empty()) fail("{} has no requests", path);
  return load;
}

std::vector<ServeLoad> BenchServeCommand::load() const {
  Rng rng(seed);
  std::vector<ServeLoad> list;
  if (!trace.empty()) {
    list = read_trace(trace, requests, length_scale);
  } else {
    const Range p = range_from("--prompt-tokens", prompt), o = range_from("--output-tokens", output);
    const auto draw = [&](const Range& r) {
      return r.low + static_cast<int>(rng.below(static_cast<std::uint64_t>(r.high - r.low) + 1));
    };
    for (int i = 0; i < requests; ++i) {
      const int prompt_tokens = draw(p);
      list.push_back({0, prompt_tokens, draw(o)});
    }
  }
  double now = 0;
  for (ServeLoad& l : list) {
    l.arrival_s = now;
    if (rate > 0) now += -std::log(1 - rng.uniform()) / rate;  // a Poisson process
  }
  return list;
}

Json summary(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return {{"mean", values.empty() ? 0 : sum / static_cast<double>(values.size())},
          {"p50", percentile(values, 0.5)},
          {"p90", percentile(values, 0.9)},
          {"p99", percentile(values, 0.99)}};
}

struct Seen {
  double first_s = 0, last_s = 0;
  int tokens = 0;
};

void BenchServeCommand::execute(bool json_wanted) const {
  if (requests < 1 || users < 1) fail_usage("--requests and --users must be at least 1");
  if (!(rate >= 0 && length_scale > 0)) fail_usage("--rate must be at least 0 and --length-scale above 0");
  const std::vector<ServeLoad> loads = load();
  const auto model = run.load();
  EngineConfig config = run.config();
  config.max_sequences = sequences;
  config.max_step_tokens = step_tokens;
  int longest = 0;
  for (const ServeLoad& l : loads) longest = std::max(longest, shared_prefix + l.prompt + l.output);
  if (config.context == 0) config.context = std::min(longest, model->config.context_length);
  if (longest > config.context) {
    fail_usage(
        "the longest request has {} tokens, the context {}; raise --ctx or use a smaller --length-scale",
        longest, config.context);
  }
  Engine engine(model, variants(), config);

  Rng rng(seed + 1);
  std::vector<std::int32_t> shared;
  for (int i = 0; i < shared_prefix; ++i) {
    shared.push_back(
        static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model->config.vocab_size))));
  }
  std::vector<Seen> seen(loads.size());
  std::vector<double> gaps;
  std::size_t submitted = 0;
  double waste = 0, taken = 0;
  std::int64_t samples = 0;
  const Timer clock;
  for (bool more = true; more || submitted < loads.size();) {
    for (; submitted < loads.size() && loads[submitted].arrival_s <= clock.seconds(); ++submitted) {
      const ServeLoad& l = loads[submitted];
      Seen& s = seen[submitted];
      Request request;
      request.prompt = shared;
      for (int i = 0; i < l.prompt; ++i) {
        request.prompt.push_back(
            static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(model->config.vocab_size))));
      }
      request.max_tokens = l.output;
      request.sampling.temperature = 0;
      request.ignore_end = true;
      request.user = static_cast<int>(submitted) % users;
      request.on_token = [&s, &gaps, &clock](std::int32_t) {
        const double now = clock.seconds();
        if (s.tokens++ == 0) {
          s.first_s = now;
        } else {
          gaps.push_back(now - s.last_s);
        }
        s.last_s = now;
      };
      engine.submit(std::move(request));
    }
    more = engine.step();
    if (more) {
      const KvUse use = engine.kv_use();
      if (use.taken > 0)
        waste += use.waste(), taken += static_cast<double>(use.taken) / static_cast<double>(use.slots),
            ++samples;
    } else if (submitted < loads.size()) {
      const double pause = loads[submitted].arrival_s - clock.seconds();
      if (pause > 0) std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    }
    check_interrupted();
  }
  std::vector<double> ttft, tpot, e2e;
  double end_s = 0;
  std::int64_t outputs = 0, prompts = 0;
  int good = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const Seen& s = seen[i];
    ttft.push_back(s.first_s - loads[i].arrival_s);
    e2e.push_back(s.last_s - loads[i].arrival_s);
    const double per_token = s.tokens > 1 ? (s.last_s - s.first_s) / (s.tokens - 1) : 0;
    if (s.tokens > 1) tpot.push_back(per_token);
    good += (slo_ttft <= 0 || ttft.back() <= slo_ttft) && (slo_tpot <= 0 || per_token <= slo_tpot);
    end_s = std::max(end_s, s.last_s);
    outputs += s.tokens;
    prompts += shared_prefix + loads[i].prompt;
  }
  const EngineStats stats = engine.stats();
  const auto count = static_cast<double>(samples > 0 ? samples : 1);
  Json json = {
      {"requests", loads.size()},
      {"duration_s", end_s},
      {"prompt_tokens", prompts},
      {"output_tokens", outputs},
      {"output_tok_s", static_cast<double>(outputs) / end_s},
      {"request_s", static_cast<double>(loads.size()) / end_s},
      {"ttft_s", summary(ttft)},
      {"itl_s", summary(gaps)},
      {"tpot_s", summary(tpot)},
      {"e2e_s", summary(e2e)},
      {"goodput_request_s", good / end_s},
      {"kv", {{"waste", waste / count}, {"taken", taken / count}, {"bytes", engine.memory().kv_bytes}}},
      {"steps", stats.steps},
      {"computed_tokens", stats.computed_tokens},
      {"cached_tokens", stats.cached_tokens},
      {"preemptions", stats.preemptions},
      {"swaps", stats.swaps},
      {"recomputed_tokens", stats.recomputed_tokens},
      {"schedule_share", stats.schedule_s / (stats.schedule_s + stats.forward_s)},
      {"rungs", rungs_json(engine)}};
  if (json_wanted) return print_json(json);
  fmt::print(
      "{} requests, {} prompt and {} output tokens in {:.2f} s: {:.1f} output tokens/s, {:.2f} "
      "requests/s\n\n",
      loads.size(), prompts, outputs, end_s, json["output_tok_s"].get<double>(),
      json["request_s"].get<double>());
  fmt::print("  {:<28} {:>10} {:>10} {:>10} {:>10}\n", "ms", "mean", "p50", "p90", "p99");
  for (const auto& [key, name] : {std::pair{"ttft_s", "TTFT (first token)"},
                                  {"itl_s", "ITL (between tokens)"},
                                  {"tpot_s", "TPOT (per output token)"},
                                  {"e2e_s", "E2E (whole request)"}}) {
    const Json& m = json[key];
    fmt::print("  {:<28} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", name, 1e3 * m["mean"].get<double>(),
               1e3 * m["p50"].get<double>(), 1e3 * m["p90"].get<double>(), 1e3 * m["p99"].get<double>());
  }
  if (slo_ttft > 0 || slo_tpot > 0)
    fmt::print("\n  {} of {} requests kept the targets\n", good, loads.size());
  fmt::print(
      "\n  {} steps; KV cache {:.0f} % taken, {:.1f} % of that wasted; {} preemptions, {} swapped, {} tokens "
      "computed "
      "twice\n  scheduling took {:.2f} % of the time; scheduler {}, policy {}, kv {}\n",
      stats.steps, 100 * taken / count, 100 * waste / count, stats.preemptions, stats.swaps,
      stats.recomputed_tokens, 100 * json["schedule_share"].get<double>(), engine.rungs().at("scheduler"),
      engine.rungs().at("policy"), engine.rungs().at("kv"));
}

}  // namespace

void add_bench_serve(CLI::App& app, Program& program) {
  CLI::App* command =
      add_command(app, program, "bench-serve", "many requests at once, and what each experienced");
  const auto c = std::make_shared<BenchServeCommand>();
  c->run.add_to(*command);
  command->add_option("--requests", c->requests, "how many (default: 64)");
  command->add_option("--rate", c->rate,
                      "arrivals per second, as a Poisson process (default: 0, all at once)");
  command->add_option("--prompt-tokens", c->prompt, "length of the prompts: 100 or 10-200 (default: 8-64)");
  command->add_option("--output-tokens", c->output, "length of the answers (default: 8-64)");
  command->add_option("--shared-prefix", c->shared_prefix,
                      "so many tokens more, the same in front of all prompts");
  command->add_option("--trace", c->trace,
                      "lengths from a CSV file whose lines end in ,prompt tokens,output tokens");
  command->add_option("--length-scale", c->length_scale, "multiplies the lengths of a trace (default: 1)");
  command->add_option("--max-sequences", c->sequences, "that run at the same time (default: 16)");
  command->add_option("--max-step-tokens", c->step_tokens, "tokens of one step (default: 256)");
  command->add_option("--users", c->users, "requests belong to so many users in turn (default: 1)");
  command->add_option("--slo-ttft", c->slo_ttft, "target in seconds; goodput counts who keeps all targets");
  command->add_option("--slo-tpot", c->slo_tpot, "target in seconds");
  command->add_option("--seed", c->seed, "of lengths, arrivals and prompts (default: 1)");
  command->callback([&program, c] { program.run = [&program, c] { c->execute(program.json); }; });
}

}  // namespace rung::cli
