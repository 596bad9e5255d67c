#pragma once
// Records the states of requests and the owners of the KV cache, step by step, in bounded memory.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "measure/serving_report.hpp"

namespace rung::cli {

/// Records every change of state of the first `limit` requests, and at most 2 * `limit` samples of the cache.
/// When there are more samples, it drops every second one and from then on samples half as many steps.
class ServeTimeline {
 public:
  explicit ServeTimeline(int limit) : limit_(static_cast<std::size_t>(limit)) {}

  bool wanted() const { return limit_ > 0; }
  /// Request `index` was submitted to the engine at `now_s` and has the number `id` there.
  void submitted(std::size_t index, int id, double now_s);
  /// A step lasted from `begin_s` to `end_s`. `engine` is in the state after it.
  void stepped(const Engine& engine, double begin_s, double end_s);
  /// Request `index` received its last token in the step from `begin_s` to `end_s`.
  void finished(std::size_t index, double begin_s, double end_s);

  /// Returns what was recorded. Refused requests are left out. `served`: all requests, by index.
  ServingTimeline report(const std::vector<ServedRequest>& served) const;

 private:
  void change(std::size_t index, const char* state, double at_s);
  std::string map_of(const Engine& engine);

  std::size_t limit_;
  std::map<int, std::size_t> index_of_;                        // by the engine's number
  std::vector<std::vector<ServingTimeline::Change>> changes_;  // of the first `limit_` requests
  std::vector<ServingTimeline::KvSample> samples_;
  std::int64_t steps_ = 0, every_ = 1;
  std::size_t blocks_ = 0;
  std::vector<int> owners_;
};

}  // namespace rung::cli
