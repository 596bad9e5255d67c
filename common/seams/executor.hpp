#pragma once
// Seam `executor`: computes the steps that a serving loop plans.
//
//   executor.submit(plan);       // starts a step: cache slots, batch, forward pass, sampling or verification
//   executor.collect(result);    // returns the tokens of the oldest plan in flight
//
// One executor runs a model on this machine. Other executors are a cost model, which only advances a
// simulated clock, and the remote ranks of a parallel group. Up to depth() plans may be in flight at a time:
// a pipeline computes them in its stages, and a GPU computes one while the loop plans the next one.
//
// Must not know: queues, policies, and what the loop does with a token.
// Thread safety: none; the thread that drives the loop calls an executor.

#include <cstdint>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "seams/constraint.hpp"
#include "seams/request.hpp"

namespace rung {

/// The part of a sequence that an executor reads. All of it is valid until the plan is collected.
struct StepText {
  int id = 0;  // the request's id
  std::span<const std::int32_t> prompt, generated;
  const SamplingParams* sampling = nullptr;
  Constraint* constraint = nullptr;  // null: every token is allowed. collect() leaves its state unchanged
};

/// One sequence's share of a step: `count` tokens, starting at position `begin`. The last `drafts` of them
/// are guesses, which the executor makes itself.
struct StepChunk {
  StepText text;
  int kv = 0;  // the sequence's number in the KV cache, which has room for begin + count tokens
  int begin = 0;
  int count = 0;
  int drafts = 0;
  bool samples = false;  // whether the step samples the sequence's next token, and one after each guess
  /// Other samples of the same prompt. They draw their first token from the logits of this chunk.
  std::vector<StepText> followers;

  /// The number of rows of logits that this chunk needs.
  int outputs() const { return samples ? 1 + drafts : 0; }
};

struct StepPlan {
  std::int64_t number = 0;  // number of the step, counted from 1
  std::vector<StepChunk> chunks;

  int tokens() const {
    int sum = 0;
    for (const StepChunk& chunk : chunks) sum += chunk.count;
    return sum;
  }
};

/// What one sequence gained in a step: its next token, and one more token for each guess that was right. It
/// gains no token if its constraint allows none.
struct StepGain {
  int tokens = 0;
  int guesses = 0;  // number of checked guesses; at most the drafts of its chunk
};

struct StepResult {
  /// For each chunk that samples, in the order of the plan: its own sequence, then its followers.
  std::vector<StepGain> gains;
  std::vector<SampledToken> tokens;  // the tokens of all gains, in the order of `gains`
  int computed = 0;               // rows of the forward pass; fewer than planned if there were fewer guesses
  double begin_s = 0, end_s = 0;  // start and end of the forward pass, on the executor's clock
  double sample_s = 0;            // seconds spent on sampling

  void clear() {
    gains.clear();
    tokens.clear();
    computed = 0;
    begin_s = end_s = sample_s = 0;
  }
};

class Executor {
 public:
  virtual ~Executor() = default;

  /// The largest number of plans that may be in flight; at least 1.
  virtual int depth() const { return 1; }
  /// Accepts a plan. The plan is then in flight until it is collected. REQUIRES: fewer than depth() plans are
  /// in flight; the plan and what it points to do not change until the plan is collected. Throws Error for a
  /// plan that cannot be computed.
  virtual void submit(const StepPlan& plan) = 0;
  /// Waits for the oldest plan in flight and stores its result in `result`. The caller passes an empty
  /// `result`, whose memory is reused from step to step. REQUIRES: a plan is in flight. Throws Error if the
  /// computation failed; the plan is then no longer in flight.
  virtual void collect(StepResult& result) = 0;

  /// Returns how many guesses the executor could check for this text in the next step
  /// (seams/speculator.hpp).
  virtual int drafts_wanted(const StepText& /*text*/) { return 0; }
  /// Reports the outcome of a step with guesses. The first `accepted` guesses were right and are now part of
  /// `text`.
  virtual void observe(const StepText& /*text*/, int /*accepted*/) {}
  /// Reports that the request has ended.
  virtual void finished(int /*id*/) {}

  /// Returns the clock of all times that the executor reports. It outlives all users of the executor.
  virtual Clock& clock() = 0;
};

}  // namespace rung
