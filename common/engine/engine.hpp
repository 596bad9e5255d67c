#pragma once
// The engine: accepts requests and generates their text, one step at a time.
//
//   Engine engine(model, variants(), config);
//   Result result = engine.run(request);                 // one request, or
//   int id = engine.submit(request);                     // several, which then share steps
//   while (engine.step()) {}
//   Result result = engine.take(id);
//
// An engine consists of the serving loop (loop/step_loop.hpp), an executor that runs a model, and the parts
// that both need.
//
// Thread safety: none; only one thread may use an engine.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine_parts.hpp"
#include "engine/model_executor.hpp"
#include "loop/event_log.hpp"
#include "loop/kv_cache_space.hpp"
#include "loop/step_loop.hpp"

namespace rung {

/// The memory that an engine uses, in bytes.
struct EngineMemory {
  std::size_t weights_bytes = 0;      // weights of the model, mapped or converted
  std::size_t packed_bytes = 0;       // copies of weights in the layouts of the `linear` rungs
  std::size_t packed_file_bytes = 0;  // part of packed_bytes, from the file of an earlier run (cache_packed)
  std::size_t kv_bytes = 0;           // KV cache, allocated by the constructor
  std::size_t workspace_bytes = 0;    // results of a step's operations, allocated by the constructor
  std::size_t swap_bytes = 0;         // host memory for preempted sequences, allocated by the constructor
};

/// A sequence of tokens whose logits are computed at the positions from `first` on.
struct LogitsJob {
  std::span<const std::int32_t> tokens;  // not owned; must outlive the call
  int first = 0;                         // 0 .. tokens.size() - 1
};

class Engine {
 public:
  /// Allocates all memory that the engine will ever use. Throws like build_parts(). `registry` must outlive
  /// the engine.
  Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
      : Engine(build_parts(std::move(model), registry, std::move(config))) {}
  explicit Engine(EngineParts parts);

  /// These functions are those of StepLoop, which documents them.
  int submit(Request request, const std::function<OnDelta(int sample)>& others = {}) {
    return loop_.submit(std::move(request), others);
  }
  int fork(int id, std::uint64_t seed, OnDelta on_delta = {}) {
    return loop_.fork(id, seed, std::move(on_delta));
  }
  bool step() { return loop_.step(); }
  void cancel(int id) { loop_.cancel(id); }
  bool finished(int id) const { return loop_.finished(id); }
  Result take(int id) { return loop_.take(id); }
  EngineStats stats() const { return loop_.stats(); }
  ServiceSnapshot snapshot() const { return loop_.snapshot(); }
  const Queues& queues() const { return loop_.queues(); }
  /// Throws Error if the bookkeeping of the KV cache is inconsistent.
  void check_integrity() const { loop_.check_integrity(); }
  StepLoop& loop() { return loop_; }

  /// Submits the request, calls step() until no request is left to compute, and takes all n results. After
  /// each step, calls `cancelled`; if it returns true, cancels the samples.
  std::vector<Result> run_samples(Request request, const std::function<bool()>& cancelled = {});

  /// Submits the request, calls step() until it has ended, and takes its result. Before each step, calls
  /// `cancelled`; if it returns true, cancels the request. REQUIRES: request.n is 1.
  Result run(Request request, const std::function<bool()>& cancelled = {});

  /// Computes the logits after every token of `tokens`, in chunks. Calls `on_rows` for the chunks in order,
  /// each as [rows, vocab] f32 in host memory, valid during the call. For `rung logits` and for tests.
  void logits(std::span<const std::int32_t> tokens, const std::function<void(const Tensor& rows)>& on_rows);

  /// Computes the logits of several sequences, which share steps if the KV cache has room for more than one.
  /// Calls `on_rows` with the rows of each job in order of positions: row i belongs to position + i of
  /// jobs[job]. If EngineConfig::sinks lets texts outgrow the cache, a sequence may have any length. Throws
  /// UsageError, before it computes anything, for a job that check_request() rejects or that is longer than
  /// the cache, and Error if running requests occupy the cache.
  using OnJobRows = std::function<void(std::size_t job, int position, const Tensor& rows)>;
  void logits(std::span<const LogitsJob> jobs, const OnJobRows& on_rows);

  const Model& model() const { return *parts_.model; }
  const EngineConfig& config() const { return parts_.config; }
  EngineMemory memory() const;
  KvUse kv_use() const { return parts_.kv->use(); }
  /// The latest events; config().event_log limits their number.
  const EventLog& events() const { return log_; }
  /// Evicts all blocks that only the prefix cache holds.
  void forget_prefixes() { space_.forget(); }
  /// Maps each seam to the rung in use, which is never `auto`.
  const std::map<std::string, std::string>& rungs() const { return parts_.rungs; }

  /// Sets owners[b] to the current owner of block b of the KV cache: the id of a running sequence, or one of
  /// the constants below. This shows the fragmentation of the cache.
  enum BlockOwner : int { kFree = -1, kKept = -2, kShared = -3 };  // kKept: owned only by the prefix cache
  void block_owners(std::vector<int>& owners) const;

  /// Counts the layers of this model in which each fused step applies.
  FusedSteps fused() const { return parts_.transformer->fused(); }

 private:
  EngineParts parts_;
  ModelExecutor executor_;
  EventLog log_;
  KvCacheSpace space_;
  StepLoop loop_;
  Batch batch_;  // used by logits()
};

}  // namespace rung
