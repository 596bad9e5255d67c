#pragma once
// The figures of `rung bench-serve`: the latencies of the requests of a benchmark, and the work of the engine
// during the benchmark. seams/serving_metrics.hpp defines TTFT, TPOT, ITL and E2E.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "engine/engine.hpp"
#include "measure/report_json.hpp"
#include "seams/serving_metrics.hpp"

namespace rung {

/// A summary of times in seconds. All members are 0 if there are no times.
struct LatencySummary {
  double mean = 0, p50 = 0, p90 = 0, p99 = 0;
};
/// Summarizes times. The rung called `quantile` of seam `quantile` computes the percentiles. Throws
/// UsageError for a rung that does not exist.
LatencySummary summarize(const std::vector<double>& seconds, const Registry& registry,
                         const std::string& quantile);

struct UserLatency {
  int user = 0;
  std::size_t requests = 0;
  LatencySummary ttft_s, e2e_s;
};

/// The states of some requests and of the KV cache over time. Times are seconds since the start.
struct ServingTimeline {
  struct Change {
    double at_s = 0;
    const char* state = "";  // waiting, prefill, decode, preempted or finished
  };
  struct Request {
    ServedRequest served;
    std::vector<Change> changes;
  };
  struct KvSample {
    double at_s = 0;
    KvUse use;
    std::size_t running = 0, waiting = 0;  // requests
    std::string map;  // owners of the blocks, run-length encoded: "3x12 -1x4"; negative: Engine::BlockOwner
  };
  std::vector<Request> requests;
  std::size_t blocks = 0;        // of the KV cache
  std::int64_t every_steps = 1;  // steps from one sample to the next
  std::vector<KvSample> samples;
};

/// What the driver of a benchmark records about its requests.
struct ServingRecord {
  std::vector<ServedRequest> served;
  std::vector<int> users;                     // the user of each request, in the same order
  std::vector<double> gaps_s;                 // ITL: times between consecutive tokens, for all requests
  double kv_waste_sum = 0, kv_taken_sum = 0;  // shares of the KV cache, summed over kv_samples steps
  std::int64_t kv_samples = 0;
};

struct ServingReport {
  std::size_t requests = 0;
  int refused = 0;   // requests that found the queue full, or followed one that did
  int left_out = 0;  // requests of a trace that were too long to be sent
  double duration_s = 0;
  std::int64_t prompt_tokens = 0, output_tokens = 0;
  double output_tok_s = 0, total_tok_s = 0, request_s = 0;  // per second
  LatencySummary ttft_s, itl_s, tpot_s, e2e_s;
  std::vector<UserLatency> users;  // empty for one user, or if there are too many users for a table
  bool has_targets = false;        // if false, every request counts as having met its targets
  int kept_targets = 0;            // number of requests that met their targets
  double goodput_request_s = 0;    // requests per second that met their targets
  struct {
    double hit_rate = 0;  // share of the prompts' tokens that the prefix cache had
    // Requests with at least half of their prompt in the cache, and requests without any part of it.
    std::size_t hits = 0, misses = 0;
    LatencySummary hit_ttft_s, miss_ttft_s;
  } cache;
  struct {
    double waste = 0, taken = 0;  // means over steps: share of the reserved memory, and share of all memory
    std::size_t bytes = 0;
  } kv;
  EngineStats stats;
  double rate = 0;                           // requested rate in requests per second; 0: all at once
  std::string workload, arrivals;            // rungs
  std::map<std::string, std::string> rungs;  // of the engine, by seam
  std::optional<ServingTimeline> timeline;

  // Shares of the steps' time.
  double schedule_share() const { return stats.schedule_s / stats.step_s; }
  double prefix_share() const { return stats.prefix_s / stats.step_s; }
};

/// Reports a benchmark that has ended on `engine`. The caller sets the members that describe the load:
/// left_out, rate, workload, arrivals and timeline. Throws the same errors as summarize().
ServingReport serving_report(const Engine& engine, const Registry& registry, const ServingRecord& record,
                             const ServiceTargets& targets, const std::string& quantile);

/// The JSON of `rung bench-serve --json`.
Json to_json(const ServingReport& report);

}  // namespace rung
