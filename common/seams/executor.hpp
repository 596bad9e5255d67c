#pragma once
// Seam `executor`: computes the steps that a serving loop plans.
//
//   executor.submit(plan);                  place in the cache, batch, forward pass, sample or verify
//   executor.collect(result);               the tokens of the oldest plan that was submitted
//
// A model on this machine is one executor; a cost model, which only lets time pass, and the remote ranks of a
// parallel group are others. Several plans may be in flight, up to depth(): a pipeline computes them in its
// stages, and a GPU computes one while the next one is planned.
//
// Must not know: queues, policies, what becomes of a token.
// Thread safety: none; the thread that drives the loop calls an executor.

#include <cstdint>
#include <span>
#include <vector>

#include "core/clock.hpp"
#include "seams/constraint.hpp"
#include "seams/request.hpp"

namespace rung {

/// What an executor reads of a sequence. Everything is valid until the plan is collected.
struct StepText {
  int id = 0;  // of the request
  std::span<const std::int32_t> prompt, generated;
  const SamplingParams* sampling = nullptr;
  Constraint* constraint = nullptr;  // null: every token is allowed. The executor leaves it as it found it
};

/// One sequence's share of a step: `count` tokens from position `begin` on. The last `drafts` of them are
/// guesses that the executor makes itself.
struct StepChunk {
  StepText text;
  int kv = 0;  // the sequence's number in the KV cache, which has room for begin + count tokens
  int begin = 0;
  int count = 0;
  int drafts = 0;
  bool samples = false;  // whether its next token is sampled, and one after each guess
  /// Sequences with the same text, which draw their first token from the same logits (samples of one prompt).
  std::vector<StepText> followers;

  /// Rows of logits.
  int outputs() const { return samples ? 1 + drafts : 0; }
};

struct StepPlan {
  std::int64_t number = 0;  // of the step, from 1
  std::vector<StepChunk> chunks;

  int tokens() const {
    int sum = 0;
    for (const StepChunk& chunk : chunks) sum += chunk.count;
    return sum;
  }
};

/// What one sequence gained: the token that the model says next, and one more for each guess that was right.
/// No token if its constraint allows none.
struct StepGain {
  int tokens = 0;
  int guesses = 0;  // that were checked: at most the drafts of its chunk
};

struct StepResult {
  /// For each chunk that samples, in the order of the plan: its own sequence, then its followers.
  std::vector<StepGain> gains;
  std::vector<SampledToken> tokens;  // of all gains, one after the other
  int computed = 0;                  // rows of the forward pass: fewer than planned if guesses were missing
  double begin_s = 0, end_s = 0;     // of the forward pass, on the executor's clock
  double sample_s = 0;               // seconds spent on sampling

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

  /// The most plans that may be in flight; at least 1.
  virtual int depth() const { return 1; }
  /// Takes a plan over. REQUIRES: fewer than depth() plans are in flight; the plan and what it points to stay
  /// as they are until it was collected. Throws Error for a plan that cannot be computed.
  virtual void submit(const StepPlan& plan) = 0;
  /// Waits for the oldest plan in flight and fills in the empty `result`, whose memory is reused from step to
  /// step. REQUIRES: there is one. Throws Error if the computation failed; the plan is then no longer in
  /// flight.
  virtual void collect(StepResult& result) = 0;

  /// How many guesses it would check for this text in the next step (seams/speculator.hpp).
  virtual int drafts_wanted(const StepText& /*text*/) { return 0; }
  /// `text` as it is after a step with guesses, of which the first `accepted` were right and became part of
  /// it.
  virtual void observe(const StepText& /*text*/, int /*accepted*/) {}
  /// The request has ended.
  virtual void finished(int /*id*/) {}

  /// Outlives the executor's users.
  virtual Clock& clock() = 0;
};

}  // namespace rung
