// rung plan --latency: computes a model's time to first token and time per token, by prompt, context and
// batch. A rung of seam `step_cost` derives them from the limits of this machine, from those of a machine
// that is described, or from steps that are measured here.

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
        if (count < 1 || count > 1 << 16)
          fail("'{}' has a step with {} equal sequences; their number must be from 1 to {}", path, count,
               1 << 16);
        sample.batch.insert(
            sample.batch.end(), static_cast<std::size_t>(count),
            {group.at(1).get<std::int32_t>(), group.at(2).get<std::int32_t>(), group.at(3).get<bool>()});
      }
    }
    return samples;
  } catch (const Json::exception&) {
    fail("'{}' has no measured steps; write such a file with rung plan --latency --measure --json > FILE",
         path);
  }
}

std::vector<StepSequence> decode(int batch, int context) {
  return std::vector<StepSequence>(static_cast<std::size_t>(batch), StepSequence{1, context, true});
}

/// Returns the time of all steps of one prompt on an engine that does nothing else.
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

/// Returns the batch size at which the additional sequences cost as much time as a single sequence takes,
/// both without attention. Up to this batch a step hardly becomes longer; beyond it, throughput hardly grows.
/// Returns nothing if an additional sequence costs nothing.
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
      fail_usage("--set {} is not SEAM=NAME; write for example --set step_cost=roofline", assignment);
    rungs[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  for (const auto& [seam, rung] : rungs) variants().find(seam).check(rung);
  return rungs;
}

/// Reads the model or the shape, and the limits and the steps that the options give or ask to measure.
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
    if (model == nullptr)
      fail_usage("--measure runs a model, but --shape names only the shape of one; use -m instead");
    Engine engine(model, variants(), config);
    Progress progress("measuring steps");
    a.config.samples = measure_steps(engine, {config.max_sequences, a.context, c.repeats}, [&](double done) {
      check_interrupted();
      progress.update(done);
    });
  }
  return a;
}

}  // namespace

LatencyReport plan_latency(const PlanCommand& c) {
  const int most = c.batch.value_or(kDefaultBatch);
  if (most < 1 || most > 1 << 16) fail_usage("--batch is {}; it must be from 1 to {}", most, 1 << 16);
  if (c.context > kMaxStepContext)
    fail_usage("--ctx is {}; it must be at most {}", c.context, kMaxStepContext);
  if (c.measure && !c.samples.empty()) fail_usage("both --measure and --samples are given; use one of them");
  EngineConfig rungs;
  rungs.rungs = assignments(c);
  const Asked a = asked(c, rungs, c.threads > 0 ? c.threads : default_threads());
  const Rung<StepCost>& rung = variants().ladder<StepCost>().choose(rungs.rung("step_cost"), a.config);
  const std::unique_ptr<StepCost> cost = rung.make(a.config);
  const int tokens = c.tokens > 0 ? c.tokens : std::min(a.context, 512);
  if (tokens > a.context)
    fail_usage("--tokens is {}, but the context has {} tokens; use a smaller --tokens or a larger --ctx",
               tokens, a.context);

  LatencyReport report;
  report.model = a.config.model;
  report.limits = a.config.limits;
  report.limits_from = a.limits_from;
  report.step_cost = rung.info.name;
  report.linear = a.linear;
  report.kv_type = a.kv_type;
  report.chunk = c.chunk;
  for (int prompt = a.context; prompt > 1 && report.prompts.size() < 6; prompt /= 2) {
    report.prompts.push_back({prompt, prefill(*cost, prompt, c.chunk), cost->seconds(decode(1, prompt))});
  }
  std::ranges::reverse(report.prompts);
  report.context = tokens;
  for (int batch = 1; batch <= most; batch *= 2) {
    report.batches.push_back({batch, cost->seconds(decode(batch, tokens))});
  }
  report.knee = knee(*cost);
  for (const StepSample& s : a.config.samples) report.samples.push_back({s, cost->seconds(s.batch).total()});
  return report;
}

}  // namespace rung::cli
