// Measures how the requests of a workload fare with every variant, at one or several rates of arrival.
//
// Each run has a new engine, so that no run finds the keys and values of an earlier one. All variants of a
// round get the same requests at the same times; the next round has others.

#include <algorithm>

#include "catalog/variants.hpp"
#include "cli/comparison.hpp"
#include "cli/serve_run.hpp"
#include "measure/serving_report.hpp"

namespace rung::cli {
namespace {

class ServingRunner final : public PartRunner {
 public:
  ServingRunner(const PartPlan& plan, const std::vector<VariantSpec>& variants)
      : plan_(plan), specs_(variants), rates_(plan.sizes) {
    if (rates_.empty()) rates_ = {0};
    for (const double rate : rates_) {
      if (!(rate >= 0)) fail_usage("--rate is {}; it must be at least 0 requests per second", rate);
    }
  }

  void load(StoredPart& part) override {
    if (!part.points.empty()) rates_.clear();
    for (const StoredPoint& point : part.points) rates_.push_back(point.size);
    part.variants.clear();
    for (const VariantSpec& spec : specs_) {
      LoadedVariant& v = loaded_.emplace_back(spec);
      const Workload load = requests(v, 0, 0);
      const Engine engine(v.model, variants(), config_of(v, load));
      v.describe(engine);
      part.variants.push_back(v.stored);
    }
    part.size = "requests per second";
    for (const auto& [name, target] :
         {std::pair{"ttft_s", plan_.targets.ttft_s}, std::pair{"tpot_s", plan_.targets.tpot_s},
          std::pair{"e2e_s", plan_.targets.e2e_s}}) {
      if (target > 0) part.targets[name] = target;
    }
    if (part.points.empty()) {
      for (const double rate : rates_) part.points.push_back({rate, 0, {}, {}});
    }
    constexpr int kWarmUp = 1 << 20;  // the number of a round that is not measured
    for (std::size_t v = 0; v < loaded_.size(); ++v) run(rates_.size() - 1, v, kWarmUp);
  }

  StoredRun run(std::size_t point, std::size_t variant, int round) override {
    const LoadedVariant& v = loaded_[variant];
    const Workload load = requests(v, rates_[point], round);
    Engine engine(v.model, variants(), config_of(v, load));
    ServeRun serving(engine, load, v.options.load.seed + static_cast<std::uint64_t>(round) + 1, 0);
    serving.execute();
    const ServingReport report =
        serving_report(engine, variants(), serving.record(), plan_.targets, v.config.rung("quantile"));
    StoredRun result;
    result.seconds = report.e2e_s.mean;
    for (const auto& [name, summary] :
         {std::pair{"ttft_s", report.ttft_s}, std::pair{"itl_s", report.itl_s},
          std::pair{"tpot_s", report.tpot_s}, std::pair{"e2e_s", report.e2e_s}}) {
      for (const auto& [share, value] :
           {std::pair{"p50", summary.p50}, std::pair{"p90", summary.p90}, std::pair{"p99", summary.p99}})
        result.figures[fmt::format("{}.{}", name, share)] = value;
    }
    result.figures["tok_s"] = report.output_tok_s;
    result.figures["request_s"] = report.request_s;
    result.figures["goodput_request_s"] = report.goodput_request_s;
    result.figures["hit_rate"] = report.cache.hit_rate;
    result.figures["preemptions"] = static_cast<double>(report.stats.preemptions);
    return result;
  }

 private:
  Workload requests(const LoadedVariant& v, double rate, int round) const {
    ServeLoadOptions load = v.options.load;
    load.workload = plan_.workload;
    load.rate = rate;
    if (rate == 0 && load.arrivals != "trace") load.arrivals.clear();
    load.seed += static_cast<std::uint64_t>(round) * 1000;
    return load.make(v.config);
  }

  static EngineConfig config_of(const LoadedVariant& v, const Workload& load) {
    EngineConfig config = v.config;
    config.max_sequences = v.options.sequences;
    config.max_step_tokens = v.options.step_tokens;
    fit_to_load(config, load, v.model->config);
    return config;
  }

  PartPlan plan_;
  std::vector<VariantSpec> specs_;
  std::vector<double> rates_;
  std::vector<LoadedVariant> loaded_;
};

}  // namespace

std::unique_ptr<PartRunner> make_serving_runner(const PartPlan& plan,
                                                const std::vector<VariantSpec>& variants) {
  return std::make_unique<ServingRunner>(plan, variants);
}

}  // namespace rung::cli
