#pragma once
// The engine: accepts requests and generates their text, one step at a time.
//
//   Engine engine(model, variants(), config);
//   Result result = engine.run(request);                 // one request, or
//   int id = engine.submit(request);                     // several, which then share steps
//   while (engine.step()) {}
//   Result result = engine.take(id);
//
// Thread safety: none; only one thread may use an engine.

#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/registry.hpp"
#include "core/timer.hpp"
#include "engine/engine_config.hpp"
#include "engine/kv_space.hpp"
#include "engine/packed_file.hpp"
#include "engine/sequence.hpp"
#include "engine/sliding_window.hpp"
#include "engine/transformer.hpp"
#include "loop/event_log.hpp"
#include "loop/storm_watch.hpp"
#include "model/model.hpp"
#include "seams/inference_service.hpp"
#include "seams/policy.hpp"
#include "seams/sampler.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// The memory that an engine uses, in bytes.
struct EngineMemory {
  std::size_t weights_bytes = 0;      // weights of the model, mapped or converted
  std::size_t packed_bytes = 0;       // copies of weights in the layouts of the `linear` rungs
  std::size_t packed_file_bytes = 0;  // part of packed_bytes, from the file of an earlier run (cache_packed)
  std::size_t kv_bytes = 0;           // KV cache, allocated by the constructor
  std::size_t workspace_bytes = 0;    // results of a step's operations, allocated by the constructor
};

/// A sequence of tokens. The caller wants the logits at the positions from `first` on.
struct LogitsJob {
  std::span<const std::int32_t> tokens;  // not owned; must outlive the call
  int first = 0;                         // 0 .. tokens.size() - 1
};

class Engine {
 public:
  /// Allocates all memory that the engine will ever use. `registry` must outlive the engine. Throws
  /// UsageError for invalid sizes and unknown rungs, and Error for rungs that do not support this model.
  Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);

  /// Queues a request and returns its id. For a request of n samples, the ids are consecutive, and the first
  /// one is returned. The prompt is computed once, and the samples share its blocks as far as the KV cache
  /// supports it. others(i) is called once for each i from 1 to n - 1 and returns the listener of sample i.
  /// Throws UsageError if the request can never run: an empty prompt, a prompt longer than the context, token
  /// ids outside the vocabulary, counts below 1, or sampling parameters out of range. Throws QueueFull and
  /// changes nothing if more than config().max_waiting requests would wait.
  int submit(Request request, const std::function<OnDelta(int sample)>& others = {});

  /// Starts another request that continues the current text of request `id` and draws with `seed`. Returns
  /// its id. It shares the blocks of request `id` as far as the KV cache supports it. Its result has the
  /// whole text; `on_delta` receives only what is added. Throws UsageError if request `id` has ended, has
  /// outgrown its context or is unknown, and if a listener calls fork(). Throws QueueFull like submit().
  int fork(int id, std::uint64_t seed, OnDelta on_delta = {});

  /// Computes one step: the tokens that the scheduler chooses, in one forward pass. Returns false when no
  /// request is left to compute. If all requests wait until a batch is full, sleeps for a moment and returns
  /// true. Throws Error, which names every sequence and its state, if nothing is planned and nothing can
  /// change. Calls listeners, which may call submit() and cancel().
  bool step();

  /// Ends a request early; its result has FinishReason::cancelled. If called from a listener, the request
  /// ends when the step ends. Does nothing if the request has ended. Throws UsageError for an unknown id or
  /// an id whose result was taken.
  void cancel(int id);

  /// Returns whether a request has ended and its result was not taken yet. Returns false for unknown ids.
  bool finished(int id) const;
  /// Returns the result of a finished request and forgets the request. Throws UsageError for a request that
  /// has not ended, and for an unknown id or an id whose result was taken.
  Result take(int id);

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

  const Model& model() const { return *model_; }
  const EngineConfig& config() const { return config_; }
  EngineMemory memory() const;
  EngineStats stats() const;
  KvUse kv_use() const { return kv_->use(); }
  /// The latest events; config().event_log limits their number.
  const EventLog& events() const { return log_; }
  /// Throws Error if the bookkeeping of the KV cache is inconsistent.
  void check_integrity() const { space_.check_integrity(); }
  /// Evicts all blocks that only the prefix cache holds.
  void forget_prefixes() { space_.forget(); }
  /// Maps each seam to the rung in use, which is never `auto`.
  const std::map<std::string, std::string>& rungs() const { return rungs_; }

  /// The waiting and the running sequences.
  const Queues& queues() const { return queues_; }
  ServiceSnapshot snapshot() const;
  /// Sets owners[b] to the current owner of block b of the KV cache: the id of a running sequence, or one of
  /// the constants below. This shows the fragmentation of the cache.
  enum BlockOwner : int { kFree = -1, kKept = -2, kShared = -3 };  // kKept: only the prefix cache owns it
  void block_owners(std::vector<int>& owners) const;

  /// Counts the layers of this model in which each fused step applies.
  FusedSteps fused() const { return transformer_.fused(); }

 private:
  // The parts of a step, in the order in which they run.
  void schedule();
  void propose();
  void make_batch();
  void forward();
  void record_plan();
  void sample_and_commit();
  void record_step();

  /// A sequence that gets its next token in this step, and one more for each guess that was right.
  struct NextRow {
    Sequence* sequence = nullptr;
    std::span<const float> logits;  // [1 + guesses, vocab], after its last token and after each guess
    std::span<const std::int32_t> guesses;
    int rows = 0;  // of the logits, that are sampled from
  };
  void count_computed(Sequence& s, const Chunk& chunk);
  int wanted_guesses(const Sequence& s);
  void add_rows(NextRow& next);
  int commit(const NextRow& next, std::span<SampledToken> drawn);
  void keep_guesses(Sequence& s, int accepted);
  /// Samples a token for every row and commits the tokens. Ends sequences whose constraint allows no token.
  void sample(std::span<NextRow> next);

  void wait_for_work();
  [[noreturn]] void fail_stuck() const;
  void retire(Sequence& sequence);
  /// With a sliding window: returns how many tokens a sequence of `done` tokens may compute in one step. Adds
  /// the number of tokens that were dropped to make room to `given_up`.
  int room_for(int kv, int done, int& given_up);
  void check_queue(int more);
  template <class... Arguments>
  Sequence& add(Arguments&&... arguments);
  Sequence& enqueue(Sequence& sequence, const Sequence* leader);
  void release_samples(const Sequence& leader, std::span<const float> logits);
  void forget_source(const Sequence& gone);
  void watch_storms();
  void look_up_matches();
  Sequence& find(int id);
  static Sequence& sequence_of(const Chunk& chunk) { return static_cast<Sequence&>(*chunk.sequence); }

  std::shared_ptr<const Model> model_;
  EngineConfig config_;
  std::map<std::string, std::string> rungs_;
  Device& device_;
  Timer clock_;
  EventLog log_;
  std::unique_ptr<PackedFile> packed_;  // null unless config_.cache_packed
  Transformer transformer_;
  std::unique_ptr<KvCache> kv_;
  std::unique_ptr<SlidingWindow> window_;  // null if config_.sinks is negative
  EngineKvSpace space_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Sampler> sampler_;
  std::vector<float> host_logits_;  // [max_step_outputs, vocab]
  std::vector<NextRow> next_;       // rows of the current step
  std::vector<SampleRow> rows_;     // the same rows as the sampler reads them, or those of released samples
  std::vector<SampledToken> drawn_;
  std::vector<DraftJob> jobs_;                       // of the current step, in the order of its plan
  std::deque<std::vector<std::int32_t>> histories_;  // generated tokens and guesses; rows_ points to them
  std::size_t masks_used_ = 0, histories_used_ = 0;
  std::deque<TokenMask> masks_;  // [vocab], one for each row with a constraint; rows_ points to them

  int next_id_ = 0;
  std::list<Sequence> sequences_;  // all whose results were not taken yet, in order of arrival
  std::unordered_map<int, std::list<Sequence>::iterator> by_id_;
  Queues queues_;                // those of sequences_ that wait or run
  std::vector<Sequence*> held_;  // samples that wait until their leader has computed the prompt
  bool in_step_ = false;
  std::vector<int> cancelled_in_step_;  // ids that listeners passed to cancel()
  int idle_steps_ = 0;                  // consecutive steps without a plan and without a reason to wait
  struct {
    double begin_s = 0, planned_s = 0, forward_s = 0, forward_end_s = 0;
  } times_;                  // of the current step
  std::vector<Chunk> plan_;  // plan_[i] is batch_.sequences[i]
  Batch batch_;
  EngineStats stats_;
  StormWatch storms_;
  std::int64_t matched_version_ = -1;  // version of the prefix cache at the last look-up of matched_tokens
};

/// Appends a new sequence to the list and registers its id.
template <class... Arguments>
Sequence& Engine::add(Arguments&&... arguments) {
  Sequence& s = sequences_.emplace_back(std::forward<Arguments>(arguments)...);
  by_id_[s.id] = std::prev(sequences_.end());
  return s;
}

}  // namespace rung
