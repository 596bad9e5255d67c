#pragma once
// Seam `inference_service`: requests in, streams of text out, from any thread.
//
// What answers may be an engine in this process, a simulation, or an engine behind a network. Who asks (a
// chat, a server, a benchmark) cannot tell. Errors of a request are thrown by submit() as UsageError; what
// ends a request later is thrown by its stream.
//
// Must not know: HTTP, the threads of a server.
// Thread safety: all functions may be called by any thread, except from a request's on_delta: there only
// Stream::cancel() is allowed.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "seams/kv_cache.hpp"
#include "seams/request.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// A request was refused because as many wait already as may; nothing is wrong with it.
class QueueFull : public Error {
 public:
  using Error::Error;
};

/// What the engine did so far.
struct EngineStats {
  std::int64_t steps = 0;
  std::int64_t computed_tokens = 0;    // rows of all forward passes
  std::int64_t output_tokens = 0;      // sampled
  std::int64_t cached_tokens = 0;      // of prompts, taken over from earlier requests
  std::int64_t guessed_tokens = 0;     // by a speculator, computed behind what was known
  std::int64_t accepted_tokens = 0;    // of these, were right
  std::int64_t finished = 0;           // requests that ended
  std::int64_t forks = 0;              // samples after the first, and forks
  std::int64_t forked_tokens = 0;      // of theirs, taken over from a sequence that ran beside them
  std::int64_t refused = 0;            // requests that found the queue full
  std::int64_t preemptions = 0;        // sequences that lost their place in the cache
  std::int64_t swaps = 0;              // of these, came back from host memory
  std::int64_t recomputed_tokens = 0;  // of computed_tokens: computed before, and given up since
  std::int64_t storms = 0;             // windows of StormWatch::kWindow steps that mostly preempted
  double schedule_s = 0;               // spent on sorting and scheduling
  double forward_s = 0;                // spent in forward passes
  double sample_s = 0;                 // spent by the sampler
  double step_s = 0;                   // spent in steps that computed something: all of these and the rest
  double prefix_s = 0;                 // of that, spent in the prefix cache

  /// Of the time of all steps, what is neither the model's nor the sampler's.
  double own_share() const { return step_s > 0 ? 1 - (forward_s + sample_s) / step_s : 0; }
};

/// A request that has not ended, at one moment.
struct SequenceSnapshot {
  int id = 0;
  SequenceState state = SequenceState::waiting;
  int prompt_tokens = 0;
  int computed = 0;       // tokens whose keys and values are in the cache, or were
  int output_tokens = 0;  // generated so far
  int max_tokens = 0;
  int preemptions = 0;
  int user = 0;
  int priority = 0;
  double waited_s = 0;  // since it was submitted
};

/// A service at one moment, between two steps.
struct ServiceSnapshot {
  std::vector<SequenceSnapshot> sequences;  // in order of submission
  KvUse kv;
  EngineStats stats;
};

/// One request under way. Deltas are kept until they are taken. It may outlive the service.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Waits for the next delta and takes it; nothing after the last one. Throws what ended the request, if
  /// that was an error.
  virtual std::optional<Delta> next() = 0;
  /// The next delta if it is there already; nothing otherwise. Throws like next().
  virtual std::optional<Delta> poll() = 0;
  /// Waits for the end. May be called again. Throws what ended the request, if that was an error.
  virtual Result wait() = 0;
  virtual bool finished() const = 0;
  /// Asks for an early end, without waiting for it; nothing happens to a request that has ended.
  virtual void cancel() = 0;
  /// Another request that goes on from this one's text as it is now, with draws of its own. Throws UsageError
  /// when this one has ended.
  virtual std::shared_ptr<Stream> fork(std::uint64_t seed) = 0;
};

class InferenceService {
 public:
  virtual ~InferenceService() = default;

  /// Queues a request of one sample. Throws UsageError for what can never run, QueueFull when as many wait as
  /// may, Error when the service has stopped. The request's own listener runs on the service's thread; one
  /// that throws ends its request alone, and wait() throws the same.
  virtual std::shared_ptr<Stream> submit(Request request) = 0;
  /// The same for a request of n samples of one prompt, which is computed once: a stream for each. The
  /// request's listener hears the first.
  virtual std::vector<std::shared_ptr<Stream>> submit_samples(Request request) = 0;

  virtual ServiceSnapshot snapshot() = 0;
};

}  // namespace rung
