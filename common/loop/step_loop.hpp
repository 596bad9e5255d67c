#pragma once
// The serving loop: requests in, tokens out, one step at a time. There is one loop. An engine runs it with an
// executor that computes a model, a simulation with one that only lets time pass.
//
//   while (loop.step()) {}
//
//   plan   = schedule()              policy, scheduler, admission, preemption
//   executor.submit(plan)            guesses, place in the cache, batch, forward pass, sample or verify
//   tokens = executor.collect()
//   commit(tokens)                   accept n tokens, truncate, stream, stop, retire
//
// Thread safety: none; only one thread may use a loop.

#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "loop/event_log.hpp"
#include "loop/sequence.hpp"
#include "loop/sequence_memory.hpp"
#include "loop/storm_watch.hpp"
#include "seams/executor.hpp"
#include "seams/inference_service.hpp"
#include "seams/policy.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// What a loop must know of its executor's model, and its limits.
struct LoopConfig {
  RequestLimits requests;
  int longest = 0;      // tokens after which a text ends; INT_MAX if texts may outgrow the context
  int max_waiting = 0;  // requests that may wait for a place; 0: any number
  SchedulerConfig steps;
  std::string scheduler = "scheduler";                  // its name, for error messages
  std::function<void(const std::string&)> notice = {};  // receives sentences that are no errors; may be empty
};

/// What a loop is made of. Not owned; outlives the loop.
struct LoopParts {
  Executor& executor;
  SequenceMemory& memory;
  Scheduler& scheduler;
  Policy* policy = nullptr;              // null: order of arrival
  const Tokenizer* tokenizer = nullptr;  // null: tokens without text
  EventLog& log;                         // on the executor's clock
};

/// A scheduler broke a rule of its seam, or plans nothing although a request could go on.
class BrokenRule : public Error {
 public:
  BrokenRule(const std::string& sentence, std::int64_t step_, int request_, std::string expected_,
             std::string got_)
      : Error(sentence),
        step(step_),
        request(request_),
        expected(std::move(expected_)),
        got(std::move(got_)) {}
  std::int64_t step;
  int request;  // -1: the step as a whole
  std::string expected, got;
};

class StepLoop {
 public:
  StepLoop(const LoopParts& parts, LoopConfig config);
  StepLoop(const StepLoop&) = delete;  // plans in flight point into it
  StepLoop& operator=(const StepLoop&) = delete;

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

  /// Plans as many steps as may be in flight and commits the oldest one. Returns false when no request is
  /// left to compute. If all requests wait until a batch is full, waits for a moment and returns true. Throws
  /// BrokenRule if nothing is planned and nothing can change. Calls listeners, which may call submit() and
  /// cancel().
  bool step();

  /// Ends a request early; its result has FinishReason::cancelled. If called from a listener, or if a step in
  /// flight computes tokens of the request, it ends when that step ends. Does nothing if the request has
  /// ended. Throws UsageError for an unknown id or an id whose result was taken.
  void cancel(int id);

  /// Returns whether a request has ended and its result was not taken yet. Returns false for unknown ids.
  bool finished(int id) const;
  /// Returns the result of a finished request and forgets the request. Throws UsageError for a request that
  /// has not ended, and for an unknown id or an id whose result was taken.
  Result take(int id);

  const LoopConfig& config() const { return config_; }
  /// The waiting and the running sequences.
  const Queues& queues() const { return queues_; }
  const EventLog& events() const { return log_; }
  EngineStats stats() const;
  ServiceSnapshot snapshot() const;
  /// Throws Error if the bookkeeping of the memory is inconsistent.
  void check_integrity() const { memory_.check_integrity(); }

 private:
  /// A sequence that gains tokens in a step.
  struct Draw {
    Sequence* sequence = nullptr;
    std::size_t chunk = 0;  // of the plan
    bool follower = false;  // it draws from the logits of the chunk's own sequence
  };
  /// A plan that was submitted.
  struct Flight {
    StepPlan plan;
    std::vector<Sequence*> sequences;   // of each chunk
    std::vector<Draw> draws;            // in the order of StepResult::gains
    double begin_s = 0, planned_s = 0;  // of scheduling
  };

  // The parts of a step, in the order in which they run.
  bool schedule();
  void submit_plan();
  void commit();
  bool wait_for_work();

  void look_up_matches();
  int wanted_drafts(const Sequence& s) const;
  void check_plan() const;
  void fill_chunk(const Chunk& chunk, Flight& flight);
  Flight& collect();
  void count(const Flight& flight);
  void commit_tokens(const Draw& draw, const StepChunk& chunk, const StepGain& gain, SampledToken* tokens);
  void keep_guesses(Sequence& s, int guesses, int accepted);
  void settle(const Draw& draw);
  void retire(Sequence& s);

  void check_queue(int more);
  template <class... Arguments>
  Sequence& add(Arguments&&... arguments);
  Sequence& enqueue(Sequence& s, const Sequence* leader);
  void forget_source(const Sequence& gone);
  Sequence& find(int id);

  [[noreturn]] void fail_rule(const ScheduledSequence* s, const std::string& expected,
                              const std::string& got) const;
  [[noreturn]] void fail_stuck() const;
  void record_plan(const Flight& flight);
  void record_step(const Flight& flight);
  void watch_storms();

  Executor& executor_;
  SequenceMemory& memory_;
  Scheduler& scheduler_;
  Policy* policy_;
  const Tokenizer* tokenizer_;
  EventLog& log_;
  Clock& clock_;
  LoopConfig config_;

  int next_id_ = 0;
  std::list<Sequence> sequences_;  // all whose results were not taken yet, in order of arrival
  std::unordered_map<int, std::list<Sequence>::iterator> by_id_;
  Queues queues_;                // those of sequences_ that wait or run
  std::vector<Sequence*> held_;  // samples that wait until their leader has computed the prompt
  bool in_step_ = false;
  std::vector<int> cancelled_later_;  // ids passed to cancel() that could not end at once
  int idle_steps_ = 0;                // consecutive steps without a plan and without a reason to wait

  std::vector<Chunk> plan_;             // of the scheduler
  double begin_s_ = 0, planned_s_ = 0;  // of the last schedule()
  std::vector<Flight> flights_;         // a ring: [oldest_, oldest_ + in_flight_) are in flight
  std::size_t oldest_ = 0, in_flight_ = 0;
  std::int64_t planned_steps_ = 0;
  StepResult result_;
  EngineStats stats_;
  StormWatch storms_;
  std::int64_t matched_version_ = -1;  // of the memory at the last look-up of matched_tokens
};

}  // namespace rung
