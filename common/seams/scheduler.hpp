#pragma once
// Seam `scheduler`: which tokens of which sequences the next step computes.
//
// Host logic over the states of sequences: a scheduler sees counts of tokens and never a tensor, so the same
// code drives the engine, tests without a model and simulations with a cost model in its place.
//
//     waiting --admitted--> running --last token--> finished
//                ^             |
//                |             v  no room for its next token
//                +-------- preempted                            its memory is given back; it begins again
//
// Thread safety: none; one thread drives a scheduler.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace rung {

enum class SequenceState { waiting, running, preempted, finished };
std::string_view state_name(SequenceState state);  // "waiting", "running", "preempted", "finished"

/// What a scheduler knows of a request.
struct ScheduledSequence {
  int id = 0;
  SequenceState state = SequenceState::waiting;
  int prompt_tokens = 0;
  int output_tokens = 0;  // generated so far
  int max_tokens = 0;     // that may be generated at most
  // Tokens whose keys and values are in the cache, or will be when the plans in flight are done.
  int computed = 0;
  // Plans in flight that compute or sample tokens of this sequence. Until they are done, it must not be
  // preempted.
  int in_flight = 0;
  int kv = -1;  // its number in the cache while it runs
  int preemptions = 0;
  int reached = 0;       // the most that `computed` ever was: what is computed below it is computed again
  double arrival_s = 0;  // on the clock that schedule() is given

  int cached_tokens = 0;  // of its prompt, taken over from earlier requests instead of computed

  // Its first fork_tokens tokens are also those of this sequence, which may have them in the cache; null: of
  // none that is still there.
  const ScheduledSequence* fork_of = nullptr;
  int fork_tokens = 0;

  // Tokens of this sequence that the last lookup found in the prefix cache; -1: not looked up yet. If the
  // policy wants_matches(), the loop keeps this number up to date for waiting sequences.
  int matched_tokens = -1;

  // Tokens that a speculator would guess behind its text: a step that samples its next token can check so
  // many guesses on top. 0: none.
  int drafts = 0;

  // For policies.
  int user = 0;
  int priority = 0;          // larger is more urgent
  double ttft_target_s = 0;  // wished time to the first token; 0: none
  double tpot_target_s = 0;  // wished time per token after it; 0: none

  int length() const { return prompt_tokens + output_tokens; }
  /// The number of tokens that are neither in the cache nor in flight: 1 in decode, more in a prompt or after
  /// a preemption, and 0 while the step that samples the next token is in flight.
  int missing() const { return length() - computed; }
};

/// `count` tokens of a sequence, from its `computed` on. Where these are all that is missing, the step
/// samples its next token. The last `drafts` of them are guesses behind the text; the step then samples a
/// token after each of them, too, and the sequence gains as many tokens as the guesses were right, and one
/// more.
struct Chunk {
  ScheduledSequence* sequence = nullptr;
  int count = 0;   // at least 1
  int drafts = 0;  // of these; 0 unless all that is missing is among the others
  bool samples() const { return count - drafts == sequence->missing(); }
  /// Rows of logits that it wants.
  int outputs() const { return samples() ? 1 + drafts : 0; }
};

/// The sequences that are not finished. A scheduler moves them from one list to the other; who ends one takes
/// it out.
struct Queues {
  std::vector<ScheduledSequence*> waiting;  // and preempted; the first is the first to be admitted
  std::vector<ScheduledSequence*> running;  // the last is the first to be preempted
};

/// The memory of the sequences, as far as a scheduler must know it.
class KvSpace {
 public:
  virtual ~KvSpace() = default;
  /// Makes a place for a sequence that does not run: sets kv, and `computed` to what the cache has of it
  /// already. False, and nothing changed, when there is none.
  virtual bool open(ScheduledSequence& s) = 0;
  /// Room for `length` tokens in total; false, and nothing changed, when there is none.
  virtual bool grow(ScheduledSequence& s, int length) = 0;
  /// Takes a running sequence's place and memory away. It can go on after open(): from what was kept of it,
  /// or by computing its tokens again.
  virtual void preempt(ScheduledSequence& s) = 0;
  /// Whether there is room for so many tokens more, in whole blocks. Asked once per admission.
  virtual bool has_room(std::int64_t tokens) const = 0;
};

struct SchedulerConfig {
  int max_sequences = 1;     // that run at the same time
  int max_step_tokens = 1;   // tokens of one step
  int max_step_outputs = 1;  // tokens that one step may sample: one per sequence, and one per guess
  double window_s = 0.01;    // how long a batch may wait to fill, for rungs that wait

  std::string describe() const {
    return fmt::format("{} sequences, {} tokens per step", max_sequences, max_step_tokens);
  }
};

class Scheduler {
 public:
  static constexpr std::string_view kSeam = "scheduler";
  using Config = SchedulerConfig;

  virtual ~Scheduler() = default;

  /// Appends the next step's work to the empty `plan`: every sequence at most once, within the limits of the
  /// configuration, with room in the cache for all of it. Admits and preempts. `now_s`: seconds on the clock
  /// of arrival_s. Where a plan stays empty although a sequence is waiting or running, either sequences were
  /// preempted and the next plan is not empty, or waits_until_s() says what it waits for; all else is an
  /// error.
  virtual void schedule(Queues& queues, KvSpace& kv, double now_s, std::vector<Chunk>& plan) = 0;

  /// After an empty plan: until when the scheduler waits for a batch to fill, on that clock; 0: it does not.
  virtual double waits_until_s() const { return 0; }
};

}  // namespace rung
