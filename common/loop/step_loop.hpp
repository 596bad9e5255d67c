#pragma once
// The serving loop: it accepts requests and generates their tokens, one step at a time. An engine runs this
// loop with an executor that computes a model. A simulation runs the same loop with an executor that only
// advances a simulated clock.
//
//   while (loop.step()) {}
//
// A step has these parts:
//
//   plan   = schedule()              policy, scheduler, admission, preemption
//   executor.submit(plan)            guesses, cache slots, batch, forward pass, sampling or verification
//   tokens = executor.collect()
//   commit(tokens)                   accept tokens, truncate, stream, stop, retire
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

/// The limits of a loop, and what it must know about its executor's model.
struct LoopConfig {
  RequestLimits requests;
  int longest = 0;      // length in tokens at which a text ends; INT_MAX if texts may outgrow the context
  int max_waiting = 0;  // how many requests may wait for a place; 0: any number
  SchedulerConfig steps;
  std::string scheduler = "scheduler";  // name of the scheduler, for error messages
  /// Receives messages to the user that are not errors; may be empty.
  std::function<void(const std::string&)> notice = {};
};

/// The parts that a loop uses. They are not owned and outlive the loop.
struct LoopParts {
  Executor& executor;
  SequenceMemory& memory;
  Scheduler& scheduler;
  Policy* policy = nullptr;              // null: requests are served in order of arrival
  const Tokenizer* tokenizer = nullptr;  // null: results have tokens but no text
  EventLog& log;                         // uses the executor's clock
};

/// Thrown if a scheduler breaks a rule of its seam, or plans nothing although a request could continue.
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
  int request;  // -1: the rule concerns the whole step
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

  /// Ends a request early; its result has FinishReason::cancelled. A request that is cancelled by a listener
  /// ends after the current step. A request with steps in flight ends when the last of them is committed.
  /// Does nothing if the request has ended. Throws UsageError for an unknown id or an id whose result was
  /// taken.
  void cancel(int id);

  /// Returns whether a request has ended and its result has not been taken yet. Returns false for unknown
  /// ids.
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
    std::size_t chunk = 0;  // index of a chunk in the plan
    bool follower = false;  // whether it draws from the logits of another sequence, the chunk's own one
  };
  /// A plan that was submitted, and the sequences that it concerns.
  struct Flight {
    StepPlan plan;
    std::vector<Sequence*> sequences;   // the sequence of each chunk
    std::vector<Draw> draws;            // in the order of StepResult::gains
    double begin_s = 0, planned_s = 0;  // start and end of scheduling
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
  Flight& take_flight();
  Flight& collect();
  static void forget(const Flight& flight);
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
  std::list<Sequence> sequences_;  // all sequences whose results were not taken yet, in order of submission
  std::unordered_map<int, std::list<Sequence>::iterator> by_id_;
  Queues queues_;                // the elements of sequences_ that wait or run
  std::vector<Sequence*> held_;  // samples that wait until their leader has computed the prompt
  bool in_step_ = false;
  std::vector<int> cancelled_later_;  // ids passed to cancel() that could not end at once
  int idle_steps_ = 0;                // consecutive steps without a plan and without a reason to wait

  std::vector<Chunk> plan_;             // the latest plan of the scheduler
  double begin_s_ = 0, planned_s_ = 0;  // start and end of the last schedule()
  std::vector<Flight> flights_;         // ring buffer: [oldest_, oldest_ + in_flight_) are in flight
  std::size_t oldest_ = 0, in_flight_ = 0;
  std::int64_t planned_steps_ = 0;
  StepResult result_;
  EngineStats stats_;
  StormWatch storms_;
  std::int64_t matched_version_ = -1;  // known_version() of the memory at the last lookup of matched_tokens
};

}  // namespace rung
