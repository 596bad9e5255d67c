#pragma once
// Seam `inference_service`: accepts requests from any thread and returns streams of text.
//
// An implementation can be an engine in this process, a simulation, or an engine on another machine. A client
// (a chat, a server, a benchmark) works with all of them in the same way. submit() throws UsageError if the
// request is invalid. An error that ends the request later is thrown by its stream.
//
// Must not know: HTTP, the threads of a server.
// Thread safety: any thread may call any function. Inside a request's on_delta, only Stream::cancel() may be
// called.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "seams/kv_use.hpp"
#include "seams/request.hpp"
#include "seams/scheduler.hpp"

namespace rung {

/// Thrown when a valid request is refused because the queue already has its maximum number of requests.
class QueueFull : public Error {
 public:
  using Error::Error;
};

/// Counters and times since the engine was built. Each sample of a request counts as a request of its own.
struct EngineStats {
  std::int64_t steps = 0;              // steps that computed something; each has one forward pass
  std::int64_t computed_tokens = 0;    // tokens computed by these forward passes, recomputed ones included
  std::int64_t output_tokens = 0;      // tokens sampled for requests
  std::int64_t cached_tokens = 0;      // prompt tokens reused from the prefix cache instead of computed
  std::int64_t guessed_tokens = 0;     // tokens that a speculator guessed and a step checked
  std::int64_t accepted_tokens = 0;    // part of guessed_tokens: guesses that were right
  std::int64_t finished = 0;           // requests that ended for any reason
  std::int64_t forks = 0;              // requests that fork() made, and samples after a request's first
  std::int64_t forked_tokens = 0;      // tokens that forks shared with their source instead of computing them
  std::int64_t refused = 0;            // calls that threw QueueFull
  std::int64_t preemptions = 0;        // times that a request lost its memory in the KV cache
  std::int64_t swaps = 0;              // times that a preempted request was copied back from host memory
  std::int64_t recomputed_tokens = 0;  // part of computed_tokens: tokens computed again after a preemption
  std::int64_t storms = 0;             // windows of StormWatch::kWindow steps that were preemption storms
  double schedule_s = 0;               // seconds spent on sorting and scheduling
  double forward_s = 0;                // seconds spent in forward passes
  double sample_s = 0;                 // seconds spent in the sampler
  double step_s = 0;                   // seconds spent in the counted steps, including the three times above
  double prefix_s = 0;                 // part of step_s: seconds spent in the prefix cache

  /// Share of the steps' time that is spent neither in the model nor in the sampler.
  double own_share() const { return step_s > 0 ? 1 - (forward_s + sample_s) / step_s : 0; }
};

/// The state of a request that has not ended.
struct SequenceSnapshot {
  int id = 0;
  SequenceState state = SequenceState::waiting;
  int prompt_tokens = 0;
  int computed = 0;       // tokens whose keys and values were computed and not lost in a preemption
  int output_tokens = 0;  // tokens generated so far
  int max_tokens = 0;
  int preemptions = 0;
  int user = 0;
  int priority = 0;
  double waited_s = 0;  // seconds since the request was submitted
};

/// The state of a service between two steps.
struct ServiceSnapshot {
  std::vector<SequenceSnapshot> sequences;  // requests that have not ended, in order of submission
  KvUse kv;
  EngineStats stats;
};

/// The handle of one request. It keeps deltas until the caller takes them. It may outlive the service.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Waits for the next delta, removes it from the stream and returns it. Returns nullopt after the last
  /// delta. If an error ended the request, throws that error after the last delta instead.
  virtual std::optional<Delta> next() = 0;
  /// Like next(), but does not wait: returns nullopt if no delta is available yet.
  virtual std::optional<Delta> poll() = 0;
  /// Waits for the end of the request and returns its result. If an error ended the request, throws that
  /// error. May be called several times.
  virtual Result wait() = 0;
  /// Returns whether the request has ended.
  virtual bool finished() const = 0;
  /// Asks the service to end the request early and returns at once. Does nothing if the request has ended.
  virtual void cancel() = 0;
  /// Starts another request that continues this request's current text and draws with `seed`. Returns its
  /// stream. Throws UsageError if this request has ended.
  virtual std::shared_ptr<Stream> fork(std::uint64_t seed) = 0;
};

class InferenceService {
 public:
  virtual ~InferenceService() = default;

  /// Queues a request of one sample and returns its stream. Throws UsageError if the request can never run,
  /// QueueFull if the queue is full, and Error if the service has stopped. The request's on_delta runs on the
  /// service's thread. If it throws, only this request ends, and wait() throws the same exception.
  virtual std::shared_ptr<Stream> submit(Request request) = 0;
  /// Queues n samples of one prompt, which is computed once, and returns one stream per sample. on_delta
  /// receives only the first sample's deltas. Throws like submit().
  virtual std::vector<std::shared_ptr<Stream>> submit_samples(Request request) = 0;

  /// Returns the state of the service between two steps.
  virtual ServiceSnapshot snapshot() = 0;
};

}  // namespace rung
