#pragma once
// The engine: requests in, text out, one step at a time.
//
//   Engine engine(model, variants(), config);
//   Result result = engine.run(request);                 // one request, or
//   int id = engine.submit(request);                     // several, which then share every step
//   while (engine.step()) {}
//   Result result = engine.take(id);
//
// Thread safety: none; one thread drives an engine.

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

struct EngineMemory {
  std::size_t weights_bytes = 0;      // as mapped or converted
  std::size_t packed_bytes = 0;       // copies of weights that rungs of `linear` laid out anew
  std::size_t packed_file_bytes = 0;  // of these, found in the file that an earlier run left (cache_packed)
  std::size_t kv_bytes = 0;           // taken at the start
  std::size_t workspace_bytes = 0;    // everything a step computes, taken at the start
};

/// A sequence whose logits are wanted at positions `first` and later.
struct LogitsJob {
  std::span<const std::int32_t> tokens;
  int first = 0;  // 0 .. tokens.size() - 1
};

class Engine {
 public:
  /// Takes all memory it will ever use. Throws UsageError for sizes that cannot be and for rungs that do
  /// not exist, Error for rungs that do not support this model.
  Engine(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);

  /// Queues a request and returns its number; where it asks for n samples, that of the first: theirs follow
  /// each other. The prompt is computed once; samples share its blocks as far as the KV cache can.
  /// `others(i)` is called once for each i from 1 to n - 1, and returns who hears sample i. Throws
  /// UsageError when it can never run: an empty prompt, one longer than the context, ids outside the
  /// vocabulary, counts below 1, sampling out of range. Throws QueueFull, and changes nothing, when
  /// config().max_waiting wait already.
  int submit(Request request, const std::function<OnDelta(int sample)>& others = {});

  /// Another request that goes on from the text of request `id` as it is now, with draws of its own, and
  /// shares its blocks as far as the KV cache can. Its result has the whole text; `on_delta` hears what is
  /// new. Throws UsageError for a request that has ended and where a listener calls it, QueueFull like
  /// submit().
  int fork(int id, std::uint64_t seed, OnDelta on_delta = {});

  /// One iteration: what the scheduler chooses, in one forward pass. Returns false when there is nothing left
  /// to do; a step in which everybody waits (a batch that is to fill) sleeps for a moment and returns true.
  /// Throws Error, which names every sequence and its state, when nothing is planned and nothing can change.
  /// A listener, which is called from here, may call submit() and cancel().
  bool step();

  /// Ends a request early; its result says "cancelled". Called by a listener, it does so at the end of the
  /// step. Nothing happens to a request that has ended. Throws UsageError for a number that is none, or whose
  /// result was taken.
  void cancel(int id);

  /// Whether a request has ended and its result was not taken yet. False for other numbers.
  bool finished(int id) const;
  /// The result of a finished request, which the engine then forgets. Throws UsageError for a request that
  /// has not ended, and for a number that is none or whose result was taken.
  Result take(int id);

  /// Submit, step until nothing is left to do, take all n results. `cancelled` is asked after every step.
  std::vector<Result> run_samples(Request request, const std::function<bool()>& cancelled = {});

  /// Submit, step until it is done, take. `cancelled` is asked before every step. REQUIRES: request.n is 1.
  Result run(Request request, const std::function<bool()>& cancelled = {});

  /// Logits after every token of `tokens`, computed in chunks; `on_rows` sees them in order as
  /// [rows, vocab] f32 host memory. For `rung logits` and for tests.
  void logits(std::span<const std::int32_t> tokens, const std::function<void(const Tensor& rows)>& on_rows);

  /// The same for several sequences, which share steps as far as the cache holds them side by side.
  /// `on_rows` sees the rows in order of jobs, then of positions: row i belongs to position + i of jobs[job].
  /// Texts of any length where texts may outgrow the cache (EngineConfig::sinks).
  /// Throws UsageError, before it computes anything, for a job that check_request() refuses.
  using OnJobRows = std::function<void(std::size_t job, int position, const Tensor& rows)>;
  void logits(std::span<const LogitsJob> jobs, const OnJobRows& on_rows);

  const Model& model() const { return *model_; }
  const EngineConfig& config() const { return config_; }
  EngineMemory memory() const;
  EngineStats stats() const;
  KvUse kv_use() const { return kv_->use(); }
  /// What happened so far, as far as config().event_log lets it be kept.
  const EventLog& events() const { return log_; }
  /// Throws Error when the bookkeeping of the cache contradicts itself.
  void check_integrity() const { space_.check_integrity(); }
  /// Gives up the blocks that are kept for requests to come.
  void forget_prefixes() { space_.forget(); }
  /// The rung in use of every seam, `auto` resolved.
  const std::map<std::string, std::string>& rungs() const { return rungs_; }

  /// The sequences that are not finished, for those who watch.
  const Queues& queues() const { return queues_; }
  ServiceSnapshot snapshot() const;
  /// Who owns each block of the cache now: the id of a running sequence, or one of these. A picture of
  /// fragmentation.
  enum BlockOwner : int { kFree = -1, kKept = -2, kShared = -3 };  // kKept: only a prefix cache
  void block_owners(std::vector<int>& owners) const;

  /// Where the rung of seam fusion applies in this model.
  FusedSteps fused() const { return transformer_.fused(); }

 private:
  // The parts of a step, in order.
  void schedule();
  void propose();
  void make_batch();
  void forward();
  void record_plan();
  void sample_and_commit();
  void record_step();

  /// A sequence that gets its next token, and as many more as guesses behind its text were right.
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
  /// Draws a token for every row and commits it. Ends sequences whose constraint allows no token.
  void sample(std::span<NextRow> next);

  void wait_for_work();
  [[noreturn]] void fail_stuck() const;
  void retire(Sequence& sequence);
  /// With a sliding window: how many tokens a sequence of `done` tokens may compute in one step.
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
  std::unique_ptr<SlidingWindow> window_;  // null unless config_.sinks says so
  EngineKvSpace space_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Sampler> sampler_;
  std::vector<float> host_logits_;  // [max_step_outputs, vocab]
  std::vector<NextRow> next_;       // of the step at hand
  std::vector<SampleRow> rows_;     // likewise, and of samples that are released
  std::vector<SampledToken> drawn_;
  std::vector<DraftJob> jobs_;                       // of the step at hand, in order of its plan
  std::deque<std::vector<std::int32_t>> histories_;  // generated tokens and guesses; rows_ points to them
  std::size_t masks_used_ = 0, histories_used_ = 0;
  std::deque<TokenMask> masks_;  // [vocab], one for each row with a constraint; rows_ points to them

  int next_id_ = 0;
  std::list<Sequence> sequences_;  // all that were not taken yet, in order of arrival
  std::unordered_map<int, std::list<Sequence>::iterator> by_id_;
  Queues queues_;                // those of them that are not finished
  std::vector<Sequence*> held_;  // samples that wait for their leader's prompt
  bool in_step_ = false;
  std::vector<int> cancelled_in_step_;  // by listeners
  int idle_steps_ = 0;                  // in a row, without a reason to wait
  struct {
    double begin_s = 0, planned_s = 0, forward_s = 0, forward_end_s = 0;
  } times_;                  // of the step at hand
  std::vector<Chunk> plan_;  // plan_[i] is batch_.sequences[i]
  Batch batch_;
  EngineStats stats_;
  StormWatch storms_;
  std::int64_t matched_version_ = -1;  // of the prefix cache, when matched_tokens were looked up
};

/// A new sequence at the end of the list, found by its number from now on.
template <class... Arguments>
Sequence& Engine::add(Arguments&&... arguments) {
  Sequence& s = sequences_.emplace_back(std::forward<Arguments>(arguments)...);
  by_id_[s.id] = std::prev(sequences_.end());
  return s;
}

}  // namespace rung
