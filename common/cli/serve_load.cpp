#include "cli/serve_load.hpp"

#include <algorithm>

#include "catalog/variants.hpp"
#include "seams/arrivals.hpp"

namespace rung::cli {
namespace {

constexpr int kLongestLength = 1 << 28;  // a sum of a few must fit

/// "100" or "10-200".
LengthRange range_from(const std::string& flag, const std::string& text) {
  LengthRange range;
  const std::size_t minus = std::min(text.find('-'), text.size());
  const auto length = [&](const std::string& digits, int least) {
    int value = 0;
    const std::string expected = read_number(digits, value, {least, kLongestLength});
    if (!expected.empty())
      fail_usage("{} {} is no length ({}: {}); write a number such as 100, or a range such as 10-200", flag,
                 text, digits.empty() ? "an empty number" : digits, expected);
    return value;
  };
  range.low = length(text.substr(0, minus), 1);
  range.high = minus == text.size() ? range.low : length(text.substr(minus + 1), range.low);
  return range;
}

}  // namespace

void ServeLoadOptions::add_to(Command& command) {
  command.heading("Load");
  command.add_option("--requests", requests, "number of requests")->range(1, 10'000'000);
  command.add_text_option(
      "--rate",
      [this](const std::string& text) {
        rate = text == "inf" ? 0 : number_from<double>("--rate", text, {0});
      },
      "mean number of arrivals per second; with 0 or inf, all requests arrive at once (default: 0)");
  command.add_option("--arrivals", arrivals,
                     "distribution of the arrivals at this rate: uniform | poisson | gamma | tide; or trace, "
                     "which uses the times of the trace (default: poisson)");
  command
      .add_option("--cv", cv,
                  "with --arrivals gamma: standard deviation of the gaps between arrivals, divided by their "
                  "mean (default: 2)")
      ->range(0.0);
  command
      .add_option("--period", period_s, "with --arrivals tide: seconds from one peak of the rate to the next")
      ->range(0.0);
  command.add_option("--workload", workload,
                     "kind of requests: random_lengths | sharegpt | chat | agents | trace (default: the kind "
                     "that the other options imply, else random_lengths)");
  command.add_option("--prompt-tokens", prompt,
                     "prompt length in tokens, as a number or a range: 100 or 10-200 (default: 8-64)");
  command.add_option("--output-tokens", output,
                     "answer length in tokens, as a number or a range (default: 8-64)");
  command.add_option("--shared-prefix", shared_prefix, "put the same N tokens before every prompt")
      ->range(0, kLongestLength);
  command.add_option(
      "--trace", trace,
      "file with the requests of a real server: CSV whose lines end in prompt tokens and output tokens, or "
      "JSON lines in Mooncake's format; a column named user tells the users apart; - reads stdin");
  command
      .add_option("--length-scale", length_scale,
                  "multiply the lengths of a trace or of sharegpt by this factor")
      ->range(0.0);
  command.add_option("--time-scale", time_scale, "multiply the times of --arrivals trace by this factor")
      ->range(0.0);
  command
      .add_option("--max-length", longest,
                  "leave out requests of a trace or of sharegpt that have more tokens than this (default: 0, "
                  "no limit)")
      ->range(0);
  command
      .add_option("--keep-one-in", keep_one_in, "keep every N-th conversation of a trace, with all its turns")
      ->range(1);
  command
      .add_option("--multi-turn", turns,
                  "send conversations of N turns; each turn sends all previous turns again (default: off)")
      ->range(1);
  command
      .add_option(
          "--agents", branches,
          "send trees of requests, in which every answer is continued by N further requests (default: off)")
      ->range(1);
  command
      .add_option("--depth", depth, "with --agents: number of steps from the root of a tree to its leaves")
      ->range(1);
  command.add_option("--think", think_s, "mean time from an answer to the next turn, in seconds")->range(0.0);
  command.add_option("--users", users, "number of users; the requests belong to them in turn")->range(1);
  command.add_option("--seed", seed, "seed of the random lengths, arrivals and prompts");
  command.heading("");
}

std::string ServeLoadOptions::workload_rung(const EngineConfig& config) const {
  const int asked = (turns > 0) + (branches > 0) + !trace.empty();
  const std::string implied = turns > 0 ? "chat" : branches > 0 ? "agents" : trace.empty() ? "" : "trace";
  const std::string& set = config.rung("workload");
  const std::string chosen = !workload.empty() ? workload : set != "auto" ? set : implied;
  if (asked > 1 || (!implied.empty() && chosen != implied)) {
    fail_usage(
        "--multi-turn, --agents, --trace and --workload ask for different loads; use only one of them");
  }
  return chosen.empty() ? "random_lengths" : chosen;
}

std::string ServeLoadOptions::arrivals_rung(const EngineConfig& config) const {
  const std::string& set = config.rung("arrivals");
  const std::string chosen = !arrivals.empty() ? arrivals : set != "auto" ? set : "";
  if (chosen == "trace" || rate > 0) return chosen.empty() ? "poisson" : chosen;
  if (!chosen.empty())
    fail_usage("--arrivals {} needs a rate; give the requests per second with --rate", chosen);
  return "at once";
}

Workload ServeLoadOptions::make(const EngineConfig& config) const {
  WorkloadConfig c;
  c.requests = requests;
  c.users = users;
  c.prompt = range_from("--prompt-tokens", prompt);
  c.output = range_from("--output-tokens", output);
  c.shared_prefix = shared_prefix;
  c.length_scale = length_scale;
  c.time_scale = time_scale;
  c.longest = longest;
  const std::string name = workload_rung(config), times = arrivals_rung(config);
  if (name == "agents") {
    c.turns = depth;
    if (branches > 0) c.branches = branches;
  } else if (turns > 0) {
    c.turns = turns;
  }
  c.think_s = think_s;
  c.trace = trace;
  c.keep_one_in = keep_one_in;
  c.seed = seed;
  Workload load = variants().ladder<WorkloadMaker>().make(name, c)->make();
  if (times == "trace") {
    if (rate > 0)
      fail_usage(
          "--arrivals trace uses the times of the trace, so --rate has no effect; leave --rate out, or use "
          "--time-scale");
    if (!load.has_arrivals)
      fail_usage("--arrivals trace is not possible, because this load has no times of its own; use --rate");
    return load;
  }
  ArrivalsConfig a;
  a.rate = rate;
  a.cv = cv >= 0 ? cv : times == "uniform" ? 0 : times == "gamma" ? 2 : 1;
  a.period_s = period_s;
  a.seed = seed + 2;  // not the numbers that lengths were drawn from
  const auto process = rate > 0 ? variants().ladder<Arrivals>().make(times, a) : nullptr;
  double now = 0;
  for (WorkloadRequest& request : load.requests) {
    if (request.after >= 0) continue;
    request.arrival_s = now;  // the first one comes at once
    if (process) now += process->gap();
  }
  return load;
}

}  // namespace rung::cli
