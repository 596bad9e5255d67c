#pragma once
// Seam `scheduler`: which tokens of which sequences the next step computes.
//
// A scheduler runs on the host and works with the states of sequences. It uses counts of tokens and no
// tensors, so the same code runs in the engine, in tests without a model, and in simulations with a cost
// model.
//
//     waiting --admitted--> running --last token--> finished
//                ^             |
//                |             v  no room for its next token
//                +-------- preempted                            its memory is freed; it is admitted again
//                later
//
// Thread safety: none; only one thread may use a scheduler.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace rung {

enum class SequenceState { waiting, running, preempted, finished };
std::string_view state_name(SequenceState state);  // "waiting", "running", "preempted", "finished"

/// What a scheduler knows about a request.
struct ScheduledSequence {
  int id = 0;
  SequenceState state = SequenceState::waiting;
  int prompt_tokens = 0;
  int output_tokens = 0;  // tokens generated so far
  int max_tokens = 0;     // largest number of tokens to generate
  // Tokens whose keys and values are in the cache, or will be when the plans in flight are done.
  int computed = 0;
  // Plans in flight that compute or sample tokens of this sequence. Until they are done, it must not be
  // preempted.
  int in_flight = 0;
  int kv = -1;           // its number in the KV cache while it runs
  int preemptions = 0;   // how often it was preempted
  int reached = 0;       // the largest value of `computed` so far; tokens before it are computed again
  double arrival_s = 0;  // arrival time on the clock of schedule()

  int cached_tokens = 0;  // tokens of its prompt that were reused from earlier requests instead of computed

  // The sequence from which this one was forked, or null if there is none or if it is gone. The first
  // fork_tokens tokens of both are the same, and fork_of may have them in the cache.
  const ScheduledSequence* fork_of = nullptr;
  int fork_tokens = 0;

  // Tokens of this sequence that the last lookup found in the prefix cache; -1: not looked up yet. If the
  // policy wants_matches(), the loop keeps this number up to date for waiting sequences.
  int matched_tokens = -1;

  // How many tokens a speculator would guess after its text. A step that samples its next token can also
  // check this many guesses. 0: none.
  int drafts = 0;

  // For policies.
  int user = 0;
  int priority = 0;          // larger is more urgent
  double ttft_target_s = 0;  // target in seconds for the time to the first token; 0: none
  double tpot_target_s = 0;  // target in seconds for the time per token after the first; 0: none

  int length() const { return prompt_tokens + output_tokens; }
  /// The number of tokens that are neither in the cache nor in flight: 1 in decode, more in a prompt or after
  /// a preemption, and 0 while the step that samples the next token is in flight.
  int missing() const { return length() - computed; }
};

/// A part of a step: `count` tokens of a sequence, starting at its `computed`. The last `drafts` of them are
/// guesses that follow the text. If the other tokens are all missing tokens of the sequence, the step samples
/// its next token, and a token after each guess. The sequence then gains one token, and one more for each
/// guess that was right.
struct Chunk {
  ScheduledSequence* sequence = nullptr;
  int count = 0;   // at least 1
  int drafts = 0;  // part of `count`; 0 unless the other tokens are all missing tokens
  bool samples() const { return count - drafts == sequence->missing(); }
  /// Returns the number of rows of logits that the chunk needs.
  int outputs() const { return samples() ? 1 + drafts : 0; }
};

/// The sequences that are not finished. A scheduler moves them from one list to the other. The caller removes
/// a sequence when it ends.
struct Queues {
  std::vector<ScheduledSequence*> waiting;  // includes preempted ones; the first one is admitted first
  std::vector<ScheduledSequence*> running;  // the last one is preempted first
};

/// The part of the sequences' memory management that a scheduler uses.
class KvSpace {
 public:
  virtual ~KvSpace() = default;
  /// Gives a place to a sequence that does not run: sets its kv, and sets `computed` to the number of its
  /// tokens that the cache already has. If there is no place, returns false and changes nothing.
  virtual bool open(ScheduledSequence& s) = 0;
  /// Makes room for `length` tokens in total. If there is no room, returns false and changes nothing.
  virtual bool grow(ScheduledSequence& s, int length) = 0;
  /// Takes a running sequence's place and memory away. After the next open(), it continues from the tokens
  /// that were kept, or computes its tokens again.
  virtual void preempt(ScheduledSequence& s) = 0;
  /// Returns whether there is room for `tokens` more tokens, in whole blocks. Called once per admission.
  virtual bool has_room(std::int64_t tokens) const = 0;
};

struct SchedulerConfig {
  int max_sequences = 1;     // largest number of sequences that run at the same time
  int max_step_tokens = 1;   // largest number of tokens in a step
  int max_step_outputs = 1;  // largest number of tokens that a step samples: one per sequence and per guess
  double window_s = 0.01;    // seconds that a batch may wait until it is full, for rungs that wait

  std::string describe() const {
    return fmt::format("{} sequences, {} tokens per step", max_sequences, max_step_tokens);
  }
};

class Scheduler {
 public:
  static constexpr std::string_view kSeam = "scheduler";
  using Config = SchedulerConfig;

  virtual ~Scheduler() = default;

  /// Appends the next step's work to the empty `plan`. The plan has each sequence at most once, keeps the
  /// limits of the configuration, and has room in the cache for all its tokens. Admits and preempts
  /// sequences. `now_s` is in seconds on the clock of arrival_s. A plan may stay empty although a sequence is
  /// waiting or running in two cases only: sequences were preempted and the next plan is not empty, or the
  /// scheduler waits until waits_until_s(). In all other cases, an empty plan is an error.
  virtual void schedule(Queues& queues, KvSpace& kv, double now_s, std::vector<Chunk>& plan) = 0;

  /// After an empty plan, returns the time on the same clock until which the scheduler waits for a full
  /// batch; 0: it does not wait.
  virtual double waits_until_s() const { return 0; }
};

}  // namespace rung
