// rung plan --latency: time to first token and time per token of a model, by prompt, context and batch, from
// a rung of seam step_cost: from the limits of this machine or of one that is described, or from steps that
// are measured here.

#include <algorithm>
#include <optional>

#include "catalog/variants.hpp"
#include "cli/plan.hpp"
#include "core/input_text.hpp"
#include "core/parallel.hpp"
#include "engine/resolve.hpp"
#include "measure/limits.hpp"
#include "measure/step_samples.hpp"
#include "seams/step_cost.hpp"

namespace rung::cli {
namespace {

constexpr int kDefaultBatch = 32, kDefaultContext = 2048, kMeasuredBatch = 16;

/// Sequences that are alike are written once, as [how many, query_count, context_length, output].
Json batch_json(std::span<const StepSequence> batch) {
  Json groups = Json::array();
  for (const StepSequence& s : batch) {
    const Json one = {1, s.query_count, s.context_length, s.output};
    if (!groups.empty() && groups.back()[1] == one[1] && groups.back()[2] == one[2] &&
        groups.back()[3] == one[3]) {
      groups.back()[0] = groups.back()[0].get<int>() + 1;
    } else {
      groups.push_back(one);
    }
  }
  return groups;
}

std::vector<StepSample> read_samples(const std::string& path) {
  const std::string text = read_input(path, "the samples");
  try {
    const Json plan = Json::parse(text);
    std::vector<StepSample> samples;
    for (const Json& each : plan.at("samples")) {
      StepSample& sample = samples.emplace_back();
      sample.seconds = each.at("seconds").get<double>();
      for (const Json& group : each.at("batch")) {
        const int count = group.at(0).get<int>();
        if (count < 1 || count > 1 << 16) fail("{}: {} equal sequences in one step cannot be", path, count);
        sample.batch.insert(
            sample.batch.end(), static_cast<std::size_t>(count),
            {group.at(1).get<std::int32_t>(), group.at(2).get<std::int32_t>(), group.at(3).get<bool>()});
      }
    }
    return samples;
  } catch (const Json::exception&) {
    fail("'{}' has no measured steps; write it with rung plan --latency --measure --json > FILE", path);
  }
}

std::vector<StepSequence> decode(int batch, int context) {
  return std::vector<StepSequence>(static_cast<std::size_t>(batch), StepSequence{1, context, true});
}

/// The steps of one prompt on an engine that does nothing else.
StepSeconds prefill(const StepCost& cost, int prompt, int chunk) {
  StepSeconds sum;
  for (int done = 0; done < prompt;) {
    const int count = std::min(chunk, prompt - done);
    done += count;
    const StepSequence s{count, done, done == prompt};
    const StepSeconds step = cost.seconds({&s, 1});
    sum.products += step.products;
    sum.attention += step.attention;
  }
  return sum;
}

/// Where the line of one sequence's latency meets the line of what one more costs, both without attention: up
/// to this batch a step hardly becomes longer, beyond it throughput hardly grows. Nothing when one more costs
/// nothing.
std::optional<double> knee(const StepCost& cost) {
  constexpr int kMany = 1 << 14;
  const auto products = [&](int batch) { return cost.seconds(decode(batch, 1)).products; };
  const double one_more = (products(2 * kMany) - products(kMany)) / kMany;
  if (!(one_more > products(kMany) * 1e-9)) return std::nullopt;
  return products(1) / one_more;
}

struct Asked {
  StepCostConfig config;
  std::string linear = "not known", kv_type, limits_from;
  int context = 0;
};

std::map<std::string, std::string> assignments(const PlanCommand& c) {
  std::map<std::string, std::string> rungs;
  for (const std::string& assignment : c.set) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos)
      fail_usage("--set {}: write SEAM=NAME, as in --set step_cost=roofline", assignment);
    rungs[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  for (const auto& [seam, rung] : rungs) variants().find(seam).check(rung);
  return rungs;
}

/// Model, limits and measured steps, from a file or a shape.
Asked asked(const PlanCommand& c, const EngineConfig& rungs, int threads) {
  Asked a;
  Arithmetic arithmetic = Arithmetic::float32;
  std::shared_ptr<const Model> model;
  a.kv_type = c.type.empty() ? "f16" : c.type;
  EngineConfig config = rungs;
  config.kv_type = dtype_from_name(a.kv_type);
  if (c.shape.empty()) {
    model = std::make_shared<const Model>(load_with_rungs(variants(), config, resolve_model(c.model)));
    a.config.model = step_model(*model, config.kv_type);
    a.context = c.context > 0 ? c.context : std::min(model->config.context_length, kDefaultContext);
    config.context = a.context;
    config.threads = threads;
    config.max_step_tokens = c.chunk;
    config.max_sequences = std::min(c.batch.value_or(kDefaultBatch), kMeasuredBatch);
    config = resolve_config(variants(), config, *model);
    a.linear = resolve_rungs(variants(), config, *model).at("linear");
    arithmetic = arithmetic_of(variants(), a.linear);
  } else {
    a.config.model = step_model(named_kv_shape(c.shape), config.kv_type);
    a.context = c.context > 0 ? c.context : kDefaultContext;
  }
  StepLimits& limits = a.config.limits;
  limits = {c.bandwidth, c.flops, c.flops};
  a.limits_from = "given";
  if (c.bandwidth == 0 || c.flops == 0) {
    tell("measuring this machine's limits (cached; rung bench --remeasure repeats it)\n");
    const MachineLimits here = limits_of_machine(variants(), rungs.rung("bandwidth"), threads);
    if (c.bandwidth == 0) limits.read_bytes_per_s = here.read_bytes_per_s;
    if (c.flops == 0) {
      limits.product_flops_per_s = rate_of(here, arithmetic).per_s;
      limits.attention_flops_per_s = here.fma_flops_per_s;
    }
    a.limits_from = c.bandwidth == 0 && c.flops == 0 ? "measured here" : "given and measured here";
  }
  if (!c.samples.empty()) a.config.samples = read_samples(c.samples);
  if (c.measure) {
    if (model == nullptr) fail_usage("--measure runs a model: name one with -m instead of --shape");
    Engine engine(model, variants(), config);
    Progress progress("measuring steps");
    a.config.samples = measure_steps(engine, {config.max_sequences, a.context, c.repeats}, [&](double done) {
      check_interrupted();
      progress.update(done);
    });
  }
  return a;
}

Json samples_json(const StepCost& cost, std::span<const StepSample> samples) {
  Json rows = Json::array();
  for (const StepSample& s : samples) {
    rows.push_back({{"batch", batch_json(s.batch)},
                    {"seconds", s.seconds},
                    {"predicted_s", cost.seconds(s.batch).total()}});
  }
  return rows;
}

}  // namespace

Json plan_latency(const PlanCommand& c) {
  const int most = c.batch.value_or(kDefaultBatch);
  if (most < 1 || most > 1 << 16) fail_usage("--batch is {}; it must be from 1 to {}", most, 1 << 16);
  if (c.context > kMaxStepContext)
    fail_usage("--ctx {} is too long; at most {} is possible", c.context, kMaxStepContext);
  if (c.measure && !c.samples.empty()) fail_usage("give --measure or --samples, not both");
  EngineConfig rungs;
  rungs.rungs = assignments(c);
  const Asked a = asked(c, rungs, c.threads > 0 ? c.threads : default_threads());
  const Rung<StepCost>& rung = variants().ladder<StepCost>().choose(rungs.rung("step_cost"), a.config);
  const std::unique_ptr<StepCost> cost = rung.make(a.config);
  const int tokens = c.tokens > 0 ? c.tokens : std::min(a.context, 512);
  if (tokens > a.context) fail_usage("--tokens {} is more than the context of {}", tokens, a.context);

  const StepModel& m = a.config.model;
  const StepLimits& l = a.config.limits;
  Json result = {{"model", m.name},
                 {"step_cost", rung.info.name},
                 {"linear", a.linear},
                 {"kv_type", a.kv_type},
                 {"weights_bytes", m.layer_bytes + m.output_bytes + m.expert_bytes},
                 {"weights_per_token", m.layer_weights + m.output_weights},
                 {"limits",
                  {{"from", a.limits_from},
                   {"read_gb_s", l.read_bytes_per_s * 1e-9},
                   {"product_gflop_s", l.product_flops_per_s * 1e-9},
                   {"attention_gflop_s", l.attention_flops_per_s * 1e-9}}},
                 {"chunk", c.chunk}};
  const auto share = [](const StepSeconds& s) { return s.total() > 0 ? s.attention / s.total() : 0.0; };
  std::vector<int> prompts;
  for (int prompt = a.context; prompt > 1 && prompts.size() < 6; prompt /= 2) prompts.push_back(prompt);
  std::ranges::reverse(prompts);
  result["prompts"] = Json::array();
  for (const int prompt : prompts) {
    const StepSeconds first = prefill(*cost, prompt, c.chunk), next = cost->seconds(decode(1, prompt));
    result["prompts"].push_back({{"tokens", prompt},
                                 {"ttft_s", first.total()},
                                 {"tok_s", prompt / first.total()},
                                 {"attention_share", share(first)},
                                 {"tpot_s", next.total()},
                                 {"tpot_attention_share", share(next)}});
  }
  result["context"] = tokens;
  result["batches"] = Json::array();
  for (int batch = 1; batch <= most; batch *= 2) {
    const StepSeconds step = cost->seconds(decode(batch, tokens));
    result["batches"].push_back({{"batch", batch},
                                 {"tpot_s", step.total()},
                                 {"tok_s", batch / step.total()},
                                 {"attention_share", share(step)}});
  }
  const std::optional<double> batch = knee(*cost);
  result["knee"] = batch ? Json(*batch) : Json();
  if (!a.config.samples.empty()) result["samples"] = samples_json(*cost, a.config.samples);
  return result;
}

void print_latency(const Json& r) {
  const Json& limits = r["limits"];
  fmt::print("{}: {:.4g} MB of weights, linear {}, keys and values in {}\n", r["model"].get<std::string>(),
             r["weights_bytes"].get<double>() * 1e-6, r["linear"].get<std::string>(),
             r["kv_type"].get<std::string>());
  fmt::print("limits ({}): {:.4g} GB/s read, {:.4g} GFLOP/s in products, {:.4g} GFLOP/s in attention\n",
             limits["from"].get<std::string>(), limits["read_gb_s"].get<double>(),
             limits["product_gflop_s"].get<double>(), limits["attention_gflop_s"].get<double>());
  fmt::print("step_cost {}", r["step_cost"].get<std::string>());
  if (r.contains("samples")) {
    std::vector<double> off;
    for (const Json& s : r["samples"])
      off.push_back(100 * std::fabs(s["predicted_s"].get<double>() / s["seconds"].get<double>() - 1));
    std::ranges::sort(off);
    fmt::print(": off by {:.0f} % from {} measured steps (median; {:.0f} % at most)", off[off.size() / 2],
               off.size(), off.back());
  }
  const auto ms = [](const Json& seconds) { return fmt::format("{:.4g} ms", 1e3 * seconds.get<double>()); };
  const auto percent = [](const Json& share) { return fmt::format("{:.0f} %", 100 * share.get<double>()); };
  fmt::print("\n\n  {:>8} {:>20} {:>10} {:>10} {:>20} {:>10}\n", "prompt", "time to first token", "tok/s",
             "attention", "then time per token", "attention");
  for (const Json& p : r["prompts"]) {
    fmt::print("  {:>8} {:>20} {:>10.4g} {:>10} {:>20} {:>10}\n", p["tokens"].get<int>(), ms(p["ttft_s"]),
               p["tok_s"].get<double>(), percent(p["attention_share"]), ms(p["tpot_s"]),
               percent(p["tpot_attention_share"]));
  }
  fmt::print("\n  {:>8} {:>20} {:>10} {:>10}     each with {} tokens of context\n", "batch", "time per token",
             "tok/s", "attention", r["context"].get<int>());
  for (const Json& b : r["batches"]) {
    fmt::print("  {:>8} {:>20} {:>10.4g} {:>10}\n", b["batch"].get<int>(), ms(b["tpot_s"]),
               b["tok_s"].get<double>(), percent(b["attention_share"]));
  }
  if (r["knee"].is_null()) {
    fmt::print("\n  no knee: this rung says that one sequence more costs nothing\n");
  } else {
    fmt::print("\n  the knee is at a batch of {:.3g}: more sequences than that cost time in proportion\n",
               r["knee"].get<double>());
  }
}

}  // namespace rung::cli
