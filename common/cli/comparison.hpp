#pragma once
// One part of a comparison, while it runs: the variants' models and engines, and one run of one of them.

#include <memory>
#include <string>
#include <vector>

#include "cli/variant_options.hpp"
#include "measure/stored_runs.hpp"
#include "seams/serving_metrics.hpp"

namespace rung::cli {

/// What a part measures. The defaults of a workload fill what is empty.
struct PartPlan {
  std::string measure = "speed";  // "speed", "serving" or "quality"
  std::string workload;           // "prefill", "decode", "context", or a rung of seam `workload`
  std::vector<double> sizes;      // prompt lengths, batch sizes, contexts, or rates
  int tokens = 32;                // decode steps of "decode" and "context"
  ServiceTargets targets;         // of "serving"
  std::string text;               // of "quality": a file; empty: a text that the first model writes
  int chunks = 8;                 // of "quality": windows of the text; 0: all
  int window = 0;                 // of "quality": tokens of a window; 0: 512, or as many as the model allows
};

/// Runs one part. The models are in memory from load() to the destructor.
class PartRunner {
 public:
  virtual ~PartRunner() = default;

  /// Loads all variants, and runs each of them once, as a warm-up. Sets the part's variants, sizes and
  /// points, unless it has points from an earlier run.
  virtual void load(StoredPart& part) = 0;
  /// Is called before the first run of each round, which has `order`.
  virtual void begin_round(const std::vector<std::size_t>& /*order*/) {}
  /// Runs one variant at one size. `round` chooses the random numbers, which are the same for all variants.
  virtual StoredRun run(std::size_t point, std::size_t variant, int round) = 0;
  /// Returns the limits of the machine at this moment, or nothing if the part does not need them.
  virtual std::map<std::string, double> limits() { return {}; }
  /// Adds to the point's results what is known only while the models are in memory.
  virtual void complete(StoredPoint& /*point*/, std::size_t /*index*/) {}
};

/// Returns the runner for a plan. Throws UsageError if the plan or the variants are wrong.
std::unique_ptr<PartRunner> make_runner(const PartPlan& plan, const std::vector<VariantSpec>& variants);

// For make_runner(): one file each.
std::unique_ptr<PartRunner> make_speed_runner(const PartPlan& plan, const std::vector<VariantSpec>& variants);
std::unique_ptr<PartRunner> make_serving_runner(const PartPlan& plan,
                                                const std::vector<VariantSpec>& variants);
std::unique_ptr<PartRunner> make_quality_runner(const PartPlan& plan,
                                                const std::vector<VariantSpec>& variants);

/// A variant whose options are parsed and whose model is loaded.
struct LoadedVariant {
  explicit LoadedVariant(const VariantSpec& spec);
  /// Sets what an engine of this variant says about itself.
  void describe(const Engine& engine);

  VariantOptions options;
  std::shared_ptr<const Model> model;
  EngineConfig config;
  StoredVariant stored;  // complete after describe()
};

}  // namespace rung::cli
