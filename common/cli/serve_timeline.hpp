#pragma once
// What every sequence was doing when, and who owned the KV cache: recorded step by step, bounded in size.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/cli.hpp"
#include "seams/serving_metrics.hpp"

namespace rung::cli {

/// States of the first `limit` requests, exactly (a step is the unit of time), and at most 2 `limit` samples
/// of the cache: when there are more, every second one is dropped and only every second step is sampled from
/// then on.
class ServeTimeline {
 public:
  explicit ServeTimeline(int limit) : limit_(static_cast<std::size_t>(limit)) {}

  bool wanted() const { return limit_ > 0; }
  /// Request `index` was given to the engine at `now_s`, as number `id`.
  void submitted(std::size_t index, int id, double now_s);
  /// A step went from `begin_s` to `end_s`; `engine` is in the state after it.
  void stepped(const Engine& engine, double begin_s, double end_s);
  /// Request `index` had its last token in the step that ended at `end_s`.
  void finished(std::size_t index, double begin_s, double end_s);

  /// {"requests": [...], "kv": {...}}; `served`: what became of all requests.
  Json json(const std::vector<ServedRequest>& served) const;

 private:
  struct Change {
    double at_s;
    const char* state;
  };
  struct Sample {
    double at_s = 0;
    KvUse use;
    std::size_t running = 0, waiting = 0;
    std::string map;  // owners of blocks, as runs
  };
  void change(std::size_t index, const char* state, double at_s);
  std::string map_of(const Engine& engine);

  std::size_t limit_;
  std::map<int, std::size_t> index_of_;       // by the engine's number
  std::vector<std::vector<Change>> changes_;  // per request; its first `limit_` ones
  std::vector<Sample> samples_;
  std::int64_t steps_ = 0, every_ = 1;
  std::size_t blocks_ = 0;
  std::vector<int> owners_;
};

}  // namespace rung::cli
