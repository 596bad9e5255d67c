// Measures prefill and decode of every variant, each with an engine of its own.
//
// Where an engine's memory happens to lie changes its speed by a few percent (Mytkowicz et al. 2009). With
// the same engines in all rounds, this difference would be in every ratio, and no number of rounds would show
// it. Therefore each round has new engines, unless making them takes longer than using them.

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "catalog/variants.hpp"
#include "cli/comparison.hpp"
#include "engine/resolve.hpp"
#include "measure/bench_report.hpp"
#include "measure/limits.hpp"

namespace rung::cli {
namespace {

constexpr double kShortest = 0.05;  // seconds that a run takes at least; a shorter test is repeated
constexpr int kMostRepeats = 200;

struct SpeedWorkload {
  const char* name;
  const char* size;           // label of the axis
  std::vector<double> sizes;  // default; those that the model's context does not allow are left out
};
const std::vector<SpeedWorkload>& speed_workloads() {
  static const std::vector<SpeedWorkload> all = {{"prefill", "prompt, tokens", {32, 128, 512}},
                                                 {"decode", "sequences at once", {1, 4, 16}},
                                                 {"context", "context, tokens", {64, 256, 1024}}};
  return all;
}

class SpeedRunner final : public PartRunner {
 public:
  SpeedRunner(const PartPlan& plan, const std::vector<VariantSpec>& variants)
      : plan_(plan), specs_(variants) {
    workload_ =
        &*std::ranges::find(speed_workloads(), plan.workload, [](const SpeedWorkload& w) { return w.name; });
    for (const double size : plan.sizes) {
      if (!(size >= 1 && size <= 1 << 24 && size == std::floor(size)))
        fail_usage("a size of workload {} is {}; it must be a whole number from 1 to {}", plan.workload, size,
                   1 << 24);
    }
  }

  void load(StoredPart& part) override {
    for (const VariantSpec& spec : specs_) loaded_.emplace_back(spec);
    for (const StoredPoint& point : part.points) sizes_.push_back(point.size);
    if (sizes_.empty()) choose_sizes();
    std::vector<StoredVariant> stored;
    int threads = 1;
    for (LoadedVariant& v : loaded_) {
      const BenchTest largest = test_of(*std::ranges::max_element(sizes_));
      EngineConfig config = v.config;
      if (config.context == 0) config.context = positions(largest);
      config.max_sequences = largest.batch;
      v.config = config;
      engines_.push_back(std::make_unique<Engine>(v.model, variants(), config));
      const Engine& engine = *engines_.back();
      v.describe(engine);
      stored.push_back(v.stored);
      threads = std::max(threads, engine.config().threads);
    }
    meter_.emplace(threads, read_loop(variants(), loaded_.front().config.rung("bandwidth"), threads));
    part.size = workload_->size;
    part.variants = stored;
    if (part.points.empty()) {
      for (const double size : sizes_) part.points.push_back({size, test_of(size).tokens(), {}, {}});
    }
    warm_up();
  }

  void begin_round(const std::vector<std::size_t>& order) override {
    if (making_s_ > std::exchange(using_s_, 0)) return;
    making_s_ = 0;
    for (const std::size_t v : order) {
      const Timer timer;
      // The old engine still exists, so the new one gets other memory.
      engines_[v] = std::make_unique<Engine>(loaded_[v].model, variants(), loaded_[v].config);
      for (std::size_t p = 0; p < sizes_.size(); ++p) {
        // A long test is its own warm-up.
        if (repeats_[p][v] > 1) run_bench_test(*engines_[v], test_of(sizes_[p]), 0, check_interrupted);
      }
      making_s_ += timer.seconds();
    }
  }

  StoredRun run(std::size_t point, std::size_t variant, int round) override {
    const int repeats = repeats_[point][variant];
    double seconds = 0;
    for (int i = 0; i < repeats; ++i) {
      const auto seed =
          static_cast<std::uint64_t>(round + 1) * (kMostRepeats + 1) + static_cast<std::uint64_t>(i);
      seconds += run_bench_test(*engines_[variant], test_of(sizes_[point]), seed, check_interrupted).seconds;
    }
    using_s_ += seconds;
    return {seconds / repeats, {}};
  }

  std::map<std::string, double> limits() override { return rates_of(meter_->pass()); }

  void complete(StoredPoint& point, std::size_t index) override {
    std::vector<MachineLimits> passes;
    for (const StoredRound& round : point.rounds) passes.push_back(limits_from(round.limits));
    for (std::size_t i = 0; i < engines_.size(); ++i) {
      std::vector<double> seconds;
      for (const StoredRound& round : point.rounds) seconds.push_back(round.runs[i].seconds);
      const BenchRow row = bench_row(*engines_[i], test_of(sizes_[index]), passes, seconds);
      point.results[i].limit = row.nearest.limit.name;
      point.results[i].share = row.nearest.share;
    }
  }

 private:
  BenchTest test_of(double size) const {
    const int n = static_cast<int>(size);
    if (plan_.workload == "prefill") return {1, n, 0};
    if (plan_.workload == "decode") return {n, 0, plan_.tokens};
    return {1, 0, plan_.tokens, n};
  }

  /// Tokens that a sequence of a test has at its end.
  static int positions(const BenchTest& test) {
    return test.decode() ? test.context + test.steps : test.prompt + 1;
  }

  void choose_sizes() {
    int longest = 0;
    for (const LoadedVariant& v : loaded_) {
      const int allowed =
          v.config.context > 0 ? v.config.context : longest_context(v.config, v.model->config);
      longest = longest == 0 ? allowed : std::min(longest, allowed);
    }
    const auto fits = [&](double size) { return positions(test_of(size)) <= longest; };
    for (const double size : plan_.sizes) {
      if (!fits(size)) {
        fail_usage(
            "workload {} at size {} needs a context of {} tokens, but {} are possible; use smaller sizes",
            plan_.workload, size, positions(test_of(size)), longest);
      }
    }
    sizes_ = plan_.sizes;
    if (sizes_.empty()) std::ranges::copy_if(workload_->sizes, std::back_inserter(sizes_), fits);
    if (sizes_.empty())
      fail_usage("no size of workload {} fits into a context of {} tokens", plan_.workload, longest);
  }

  /// Runs every test at least once, and counts how often it has to be repeated to last long enough.
  void warm_up() {
    repeats_.assign(sizes_.size(), std::vector<int>(engines_.size(), 1));
    for (std::size_t p = 0; p < sizes_.size(); ++p) {
      for (std::size_t v = 0; v < engines_.size(); ++v) {
        run_bench_test(*engines_[v], test_of(sizes_[p]), 0, check_interrupted);
        const double seconds = run_bench_test(*engines_[v], test_of(sizes_[p]), 1, check_interrupted).seconds;
        repeats_[p][v] =
            static_cast<int>(std::clamp(std::ceil(kShortest / seconds), 1.0, 1.0 * kMostRepeats));
      }
    }
  }

  PartPlan plan_;
  std::vector<VariantSpec> specs_;
  const SpeedWorkload* workload_;
  std::vector<LoadedVariant> loaded_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::optional<LimitsMeter> meter_;
  std::vector<double> sizes_;
  std::vector<std::vector<int>> repeats_;  // by point and variant
  double making_s_ = 0, using_s_ = 0;      // of the engines, in the last round
};

}  // namespace

std::unique_ptr<PartRunner> make_speed_runner(const PartPlan& plan,
                                              const std::vector<VariantSpec>& variants) {
  return std::make_unique<SpeedRunner>(plan, variants);
}

}  // namespace rung::cli
