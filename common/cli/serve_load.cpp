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
      fail_usage("{} {} is no length: of {}, {}; write 100, or 10-200 for lengths between", flag, text,
                 digits.empty() ? "an empty number" : digits, expected);
    return value;
  };
  range.low = length(text.substr(0, minus), 1);
  range.high = minus == text.size() ? range.low : length(text.substr(minus + 1), range.low);
  return range;
}

}  // namespace

void ServeLoadOptions::add_to(Command& command) {
  command.heading("Load");
  command.add_option("--requests", requests, "how many (default: 64)")->range(1, 10'000'000);
  command.add_text_option(
      "--rate",
      [this](const std::string& text) {
        rate = text == "inf" ? 0 : number_from<double>("--rate", text, {0});
      },
      "arrivals per second; 0 or inf: all at once (default: 0)");
  command.add_option(
      "--arrivals", arrivals,
      "how they come at that rate: uniform | poisson | gamma | tide, or trace: at its own times "
      "(default: poisson)");
  command.add_option("--cv", cv, "standard deviation of the gaps over their mean, for gamma (default: 2)")
      ->range(0.0);
  command.add_option("--period", period_s, "seconds from flood to flood, for tide (default: 60)")->range(0.0);
  command.add_option(
      "--workload", workload,
      "which requests: random_lengths | sharegpt | chat | agents | trace (default: what the other "
      "flags ask for)");
  command.add_option("--prompt-tokens", prompt, "length of the prompts: 100 or 10-200 (default: 8-64)");
  command.add_option("--output-tokens", output, "length of the answers (default: 8-64)");
  command.add_option("--shared-prefix", shared_prefix, "N more tokens, the same in front of all prompts")
      ->range(0, kLongestLength);
  command.add_option(
      "--trace", trace,
      "requests of a real server: a CSV file whose lines end in ,prompt tokens,output tokens, or Mooncake's "
      "JSON lines; a field headed user says whose they are; - is stdin");
  command
      .add_option("--length-scale", length_scale,
                  "multiplies the lengths of a trace or of sharegpt (default: 1)")
      ->range(0.0);
  command.add_option("--time-scale", time_scale, "multiplies the times of --arrivals trace (default: 1)")
      ->range(0.0);
  command
      .add_option(
          "--max-length", longest,
          "leaves out requests of a trace or of sharegpt with more tokens than this (default: 0, none)")
      ->range(0);
  command
      .add_option("--keep-one-in", keep_one_in,
                  "keeps one conversation of a trace in N, with all its turns (default: 1)")
      ->range(1);
  command
      .add_option("--multi-turn", turns, "conversations of N turns, each of which sends all turns before it")
      ->range(1);
  command.add_option("--agents", branches, "trees of requests: every answer is continued in N ways")
      ->range(1);
  command.add_option("--depth", depth, "steps from the root of an agent's tree to its leaves (default: 3)")
      ->range(1);
  command.add_option("--think", think_s, "seconds from an answer to the next turn, on average (default: 0)")
      ->range(0.0);
  command.add_option("--users", users, "requests belong to N users in turn (default: 1)")->range(1);
  command.add_option("--seed", seed, "of lengths, arrivals and prompts (default: 1)");
  command.heading("");
}

std::string ServeLoadOptions::workload_rung(const EngineConfig& config) const {
  const int asked = (turns > 0) + (branches > 0) + !trace.empty();
  const std::string implied = turns > 0 ? "chat" : branches > 0 ? "agents" : trace.empty() ? "" : "trace";
  const std::string& set = config.rung("workload");
  const std::string chosen = !workload.empty() ? workload : set != "auto" ? set : implied;
  if (asked > 1 || (!implied.empty() && chosen != implied)) {
    fail_usage("--multi-turn, --agents, --trace and --workload ask for different loads; give one of them");
  }
  return chosen.empty() ? "random_lengths" : chosen;
}

std::string ServeLoadOptions::arrivals_rung(const EngineConfig& config) const {
  const std::string& set = config.rung("arrivals");
  const std::string chosen = !arrivals.empty() ? arrivals : set != "auto" ? set : "";
  if (chosen == "trace" || rate > 0) return chosen.empty() ? "poisson" : chosen;
  if (!chosen.empty()) fail_usage("--arrivals {} needs a rate; give --rate with requests per second", chosen);
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
    if (rate > 0) fail_usage("--arrivals trace has times of its own; leave --rate out, or use --time-scale");
    if (!load.has_arrivals) fail_usage("--arrivals trace: this load has no times of its own; use --rate");
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
