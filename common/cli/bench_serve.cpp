// rung bench-serve: many requests on the engine, as they arrive, and what each of them experienced.
//
// What is sent is a rung of seam `workload`, when it is sent one of `arrivals` (serve_load.cpp); what the
// numbers mean stands in seams/serving_metrics.hpp. Prompts are random ids: what a model makes of them does
// not matter here. A request that follows another one begins with that one's prompt and the answer that it
// got.

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <queue>
#include <thread>

#include "catalog/variants.hpp"
#include "cli/cli.hpp"
#include "cli/serve_load.hpp"
#include "cli/serve_timeline.hpp"
#include "seams/quantile.hpp"
#include "seams/serving_metrics.hpp"

namespace rung::cli {
namespace {

struct BenchServeCommand {
  RunOptions run;
  ServeLoadOptions load;
  ServiceTargets targets;
  int sequences = 16, step_tokens = 256, timeline = 0;

  void execute(bool json) const;
};

/// Drives an engine through a workload, once.
class ServeRun {
 public:
  ServeRun(Engine& engine, const Workload& load, std::uint64_t seed, int timeline)
      : engine_(engine),
        load_(load),
        seed_(seed),
        served(load.requests.size()),
        timeline(timeline),
        texts_(load.requests.size()),
        ids_(load.requests.size()),
        followers_(load.requests.size()) {
    for (std::size_t i = 0; i < load_.requests.size(); ++i) {
      const WorkloadRequest& r = load_.requests[i];
      if (r.after < 0) {
        due_.push({r.arrival_s, i});
      } else {
        followers_[static_cast<std::size_t>(r.after)].push_back(i);
      }
    }
  }

  void execute() {
    Progress progress("bench-serve");
    std::int64_t tokens = 0;
    for (const WorkloadRequest& r : load_.requests) tokens += r.output;
    for (bool more = true; more || !due_.empty();) {
      for (; !due_.empty() && due_.top().first <= clock_.seconds(); due_.pop()) submit(due_.top());
      const double begin_s = clock_.seconds();
      more = engine_.step();
      const double end_s = clock_.seconds();
      for (const std::size_t i : ended_) end(i, begin_s, end_s);
      ended_.clear();
      if (more) {
        timeline.stepped(engine_, begin_s, end_s);
        observe_memory();
      } else if (!due_.empty() && due_.top().first > end_s) {
        std::this_thread::sleep_for(std::chrono::duration<double>(due_.top().first - end_s));
      }
      progress.update(static_cast<double>(generated_) / static_cast<double>(tokens));
      check_interrupted();
    }
  }

 private:
  using Due = std::pair<double, std::size_t>;  // when, who

  Engine& engine_;
  const Workload& load_;
  std::uint64_t seed_;
  std::int64_t generated_ = 0;  // tokens

 public:
  std::vector<ServedRequest> served;
  std::vector<double> gaps;  // between tokens, of all requests
  ServeTimeline timeline;
  double waste = 0, taken = 0;  // sums over `samples` steps
  std::int64_t samples = 0;

 private:
  void submit(const Due& due) {
    const std::size_t i = due.second;
    const WorkloadRequest& r = load_.requests[i];
    std::vector<std::int32_t>& text = texts_[i];
    if (r.after >= 0) text = texts_[static_cast<std::size_t>(r.after)];
    for (const Segment& s : r.prompt) append_segment(s, seed_, engine_.model().config.vocab_size, text);
    ServedRequest& s = served[i];
    s.arrival_s = due.first;
    s.prompt_tokens = static_cast<int>(text.size());
    Request request;
    request.prompt = text;
    request.max_tokens = r.output;
    request.sampling.temperature = 0;
    request.ignore_end = true;
    request.user = r.user;
    request.on_delta = [this, i](const Delta& delta) {
      for (const std::int32_t token : delta.token_ids) on_token(i, token);
    };
    try {
      ids_[i] = engine_.submit(std::move(request));
    } catch (const QueueFull&) {
      return refuse(i, due.first);
    }
    timeline.submitted(i, ids_[i], due.first);
  }

  /// Whoever would have gone on from its answer is not sent at all.
  void refuse(std::size_t i, double at_s) {
    served[i].refused = true;
    served[i].arrival_s = at_s;
    for (const std::size_t next : followers_[i]) refuse(next, at_s);
  }

  void on_token(std::size_t i, std::int32_t token) {
    ServedRequest& s = served[i];
    const double now = clock_.seconds();
    ++generated_;
    if (s.output_tokens++ == 0) {
      s.first_s = now;
    } else {
      gaps.push_back(now - s.last_s);
    }
    s.last_s = now;
    if (!followers_[i].empty()) texts_[i].push_back(token);
    if (s.output_tokens == load_.requests[i].output) ended_.push_back(i);
  }

  void end(std::size_t i, double begin_s, double end_s) {
    const Result result = engine_.take(ids_[i]);
    served[i].cached_tokens = result.cached_tokens;
    served[i].preemptions = result.preemptions;
    timeline.finished(i, begin_s, end_s);
    for (const std::size_t next : followers_[i]) {
      due_.push({served[i].last_s + load_.requests[next].think_s, next});
    }
    if (followers_[i].empty()) texts_[i] = {};
  }

  void observe_memory() {
    const KvUse use = engine_.kv_use();
    if (use.taken == 0) return;
    waste += use.waste();
    taken += static_cast<double>(use.taken) / static_cast<double>(use.slots);
    ++samples;
  }

  std::vector<std::vector<std::int32_t>> texts_;  // prompt and, where somebody follows, answer
  std::vector<int> ids_;
  std::vector<std::vector<std::size_t>> followers_;
  std::vector<std::size_t> ended_;  // in this step
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  Timer clock_;
};

/// Above that many users, what each of them experienced is left out.
constexpr std::size_t kMostUsers = 16;

/// Mean, P50, P90 and P99 by a rung of seam `quantile`.
Json summary(const std::vector<double>& values, const std::string& rung) {
  const auto quantile = variants().ladder<Quantile>().make(rung, {});
  double sum = 0;
  for (const double v : values) {
    sum += v;
    quantile->add(v);
  }
  return {{"mean", values.empty() ? 0 : sum / static_cast<double>(values.size())},
          {"p50", quantile->value(0.5)},
          {"p90", quantile->value(0.9)},
          {"p99", quantile->value(0.99)}};
}

void print(const Json& json, const ServiceTargets& targets) {
  const auto number = [&json](const char* key) { return json[key].get<double>(); };
  fmt::print(
      "{} requests, {} prompt and {} output tokens in {:.2f} s: {:.1f} output tokens/s, {:.2f} "
      "requests/s\n\n",
      json["requests"].get<int>(), json["prompt_tokens"].get<int>(), json["output_tokens"].get<int>(),
      number("duration_s"), number("output_tok_s"), number("request_s"));
  fmt::print("  {:<28} {:>10} {:>10} {:>10} {:>10}\n", "ms", "mean", "p50", "p90", "p99");
  for (const auto& [key, name] : {std::pair{"ttft_s", "TTFT (first token)"},
                                  {"itl_s", "ITL (between tokens)"},
                                  {"tpot_s", "TPOT (per output token)"},
                                  {"e2e_s", "E2E (whole request)"}}) {
    const Json& m = json[key];
    fmt::print("  {:<28} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", name, 1e3 * m["mean"].get<double>(),
               1e3 * m["p50"].get<double>(), 1e3 * m["p90"].get<double>(), 1e3 * m["p99"].get<double>());
  }
  if (const int refused = json["refused"].get<int>(); refused > 0) {
    fmt::print(
        "\n  {} requests found the queue full, or followed one that did: none of the times above is theirs\n",
        refused);
  }
  if (!json["users"].empty()) fmt::print("\n");
  for (const Json& u : json["users"]) {
    fmt::print("  user {:<3} {:4} requests: TTFT {:9.1f} {:>10.1f} {:>10.1f} {:>10.1f}, E2E P99 {:.1f}\n",
               u["user"].get<int>(), u["requests"].get<int>(), 1e3 * u["ttft_s"]["mean"].get<double>(),
               1e3 * u["ttft_s"]["p50"].get<double>(), 1e3 * u["ttft_s"]["p90"].get<double>(),
               1e3 * u["ttft_s"]["p99"].get<double>(), 1e3 * u["e2e_s"]["p99"].get<double>());
  }
  if (targets.any()) {
    fmt::print("\n  {} of {} requests kept the targets: a goodput of {:.2f} requests/s\n",
               json["kept_targets"].get<int>(), json["requests"].get<int>(), number("goodput_request_s"));
  }
  const Json& cache = json["cache"];
  if (cache["hits"].get<int>() > 0) {
    fmt::print(
        "\n  prefix cache: {:.1f} % of the prompts' tokens; {} hits with a median TTFT of {:.1f} ms, {} "
        "misses with "
        "{:.1f} ms\n",
        100 * cache["hit_rate"].get<double>(), cache["hits"].get<int>(),
        1e3 * cache["hit_ttft_s"]["p50"].get<double>(), cache["misses"].get<int>(),
        1e3 * cache["miss_ttft_s"]["p50"].get<double>());
  }
  const Json &kv = json["kv"], &rungs = json["rungs"];
  fmt::print(
      "\n  {} steps; KV cache {:.0f} % taken, {:.1f} % of that wasted; {} preemptions, {} swapped, {} tokens "
      "computed "
      "twice\n  of the time, scheduling took {:.2f} % and all that is neither model nor sampler {:.2f} %; "
      "scheduler {}, policy {}, kv {}\n",
      json["steps"].get<int>(), 100 * kv["taken"].get<double>(), 100 * kv["waste"].get<double>(),
      json["preemptions"].get<int>(), json["swaps"].get<int>(), json["recomputed_tokens"].get<int>(),
      100 * number("schedule_share"), 100 * number("own_share"), rungs["scheduler"].get<std::string>(),
      rungs["policy"].get<std::string>(), rungs["kv"].get<std::string>());
}

/// What each user experienced; empty where there is one, or more than a reader would read.
Json by_user(const Workload& load, const std::vector<ServedRequest>& served, const std::string& quantile) {
  std::map<int, std::vector<ServedRequest>> users;
  for (std::size_t i = 0; i < served.size(); ++i) users[load.requests[i].user].push_back(served[i]);
  Json rows = Json::array();
  if (users.size() < 2 || users.size() > kMostUsers) return rows;
  for (const auto& [user, requests] : users) {
    const ServingMetrics m = serving_metrics(requests, {});
    rows.push_back({{"user", user},
                    {"requests", requests.size()},
                    {"ttft_s", summary(m.ttft_s, quantile)},
                    {"e2e_s", summary(m.e2e_s, quantile)}});
  }
  return rows;
}

void BenchServeCommand::execute(bool json_wanted) const {
  EngineConfig config = run.config();
  const std::string quantile = config.rung("quantile");
  static_cast<void>(
      variants().ladder<Quantile>().make(quantile, {}));  // says now, not in an hour, what is wrong
  const Workload requests = load.make(config);
  const auto model = run.load();
  config.max_sequences = sequences;
  config.max_step_tokens = step_tokens;
  int longest = 0;
  for (std::size_t i = 0; i < requests.requests.size(); ++i) {
    longest = std::max(longest, requests.prompt_tokens(i) + requests.requests[i].output);
  }
  if (config.context == 0) config.context = std::min(longest, model->config.context_length);
  if (longest > config.context) {
    fail_usage(
        "the longest request has {} tokens, the context {}; raise --ctx, use a smaller --length-scale, or "
        "leave out "
        "such requests of a trace with --max-length {}",
        longest, config.context, config.context);
  }
  // Not seams of an engine.
  for (const char* seam : {"workload", "arrivals", "quantile"}) config.rungs.erase(seam);
  Engine engine(model, variants(), config);
  ServeRun done(engine, requests, load.seed + 1, timeline);
  done.execute();

  const ServingMetrics m = serving_metrics(done.served, targets);
  const EngineStats stats = engine.stats();
  const auto count = static_cast<double>(std::max<std::int64_t>(done.samples, 1));
  Json json = {
      {"requests", done.served.size()},
      {"refused", m.refused},
      {"left_out", requests.left_out},
      {"duration_s", m.duration_s},
      {"prompt_tokens", m.prompt_tokens},
      {"output_tokens", m.output_tokens},
      {"output_tok_s", m.output_throughput()},
      {"total_tok_s", m.total_token_throughput()},
      {"request_s", m.request_throughput()},
      {"ttft_s", summary(m.ttft_s, quantile)},
      {"itl_s", summary(done.gaps, quantile)},
      {"tpot_s", summary(m.tpot_s, quantile)},
      {"e2e_s", summary(m.e2e_s, quantile)},
      {"users", by_user(requests, done.served, quantile)},
      {"kept_targets", m.kept_targets},
      {"goodput_request_s", m.request_goodput()},
      {"cache",
       {{"hit_rate", m.cache_hit_rate()},
        {"hits", m.hit_ttft_s.size()},
        {"misses", m.miss_ttft_s.size()},
        {"hit_ttft_s", summary(m.hit_ttft_s, quantile)},
        {"miss_ttft_s", summary(m.miss_ttft_s, quantile)}}},
      {"kv",
       {{"waste", done.waste / count}, {"taken", done.taken / count}, {"bytes", engine.memory().kv_bytes}}},
      {"steps", stats.steps},
      {"computed_tokens", stats.computed_tokens},
      {"cached_tokens", stats.cached_tokens},
      {"preemptions", stats.preemptions},
      {"swaps", stats.swaps},
      {"recomputed_tokens", stats.recomputed_tokens},
      {"schedule_share", stats.schedule_s / stats.step_s},
      {"prefix_share", stats.prefix_s / stats.step_s},
      {"own_share", stats.own_share()},
      {"rate", load.rate},
      {"workload", load.workload_rung(run.config())},
      {"arrivals", load.arrivals_rung(run.config())},
      {"rungs", rungs_json(engine)}};
  if (timeline > 0) json["timeline"] = done.timeline.json(done.served);
  if (json_wanted) return print_json(json);
  print(json, targets);
}

}  // namespace

void add_bench_serve(Command& app, Program& program) {
  Command* command =
      add_command(app, program, "bench-serve", "many requests at once, and what each experienced");
  const auto c = std::make_shared<BenchServeCommand>();
  c->run.add_to(*command);
  c->load.add_to(*command);
  command->add_option("--max-sequences", c->sequences, "that run at the same time (default: 16)")->range(1);
  command->add_option("--max-step-tokens", c->step_tokens, "tokens of one step (default: 256)")->range(1);
  command
      ->add_option("--slo-ttft", c->targets.ttft_s, "target in seconds; goodput counts who keeps all targets")
      ->range(0.0);
  command->add_option("--slo-tpot", c->targets.tpot_s, "target in seconds")->range(0.0);
  command->add_option("--slo-e2e", c->targets.e2e_s, "target in seconds")->range(0.0);
  command
      ->add_option("--timeline", c->timeline,
                   "N: JSON gets the states of N requests over time, and N samples of the KV cache")
      ->range(0, 100000);
  command->footer(
      "Examples:\n"
      "  rung bench-serve --requests 200 --rate 20\n"
      "  rung bench-serve --requests 100 --rate inf --scheduler static_batch --json\n"
      "  rung bench-serve --trace azure.csv.gz --arrivals trace --time-scale 0.1 --max-length 512");
  command->callback([&program, c] { program.run = [&program, c] { c->execute(program.json); }; });
}

}  // namespace rung::cli
