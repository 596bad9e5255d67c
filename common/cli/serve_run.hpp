#pragma once
// Sends the requests of a workload to an engine at their times, and records what becomes of them.

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "cli/serve_timeline.hpp"
#include "measure/serving_report.hpp"
#include "seams/workload.hpp"

namespace rung::cli {

/// Drives an engine through a workload, once. The engine and the workload must outlive it.
class ServeRun {
 public:
  /// `seed` chooses the tokens of the prompts. A `timeline` of 0 records no timeline.
  ServeRun(Engine& engine, const Workload& load, std::uint64_t seed, int timeline);

  /// Returns when every request has ended. After each step, calls `progress` with the share of the tokens
  /// that have been generated (0 to 1). Throws Error when Ctrl-C was pressed.
  void execute(const std::function<void(double done)>& progress = {});

  /// What execute() recorded.
  const ServingRecord& record() const { return record_; }
  ServingTimeline timeline() const { return timeline_.report(record_.served); }

 private:
  using Due = std::pair<double, std::size_t>;  // seconds since the start, index of the request

  void submit(const Due& due);
  void refuse(std::size_t i, double at_s);
  void on_token(std::size_t i, std::int32_t token);
  void end(std::size_t i, double begin_s, double end_s);
  void observe_memory();

  Engine& engine_;
  const Workload& load_;
  std::uint64_t seed_;
  ServingRecord record_;
  ServeTimeline timeline_;
  std::int64_t generated_ = 0;                    // tokens, of all requests
  std::vector<std::vector<std::int32_t>> texts_;  // prompt, and the answer if another request follows
  std::vector<int> ids_;                          // the engine's numbers of the requests
  std::vector<std::vector<std::size_t>> followers_;
  std::vector<std::size_t> ended_;  // in the current step
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  Timer clock_;
};

/// Sets the context of `config`, if it has none, to what the longest request needs. Throws UsageError if the
/// context is too short for it. Removes the seams that are not those of an engine.
void fit_to_load(EngineConfig& config, const Workload& load, const ModelConfig& model);

}  // namespace rung::cli
