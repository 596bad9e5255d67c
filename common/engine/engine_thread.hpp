#pragma once
// An engine and the thread that drives it: what a program uses that has other threads of its own.
//
//   EngineThread engine(model, variants(), config);
//   EngineThread::Handle answer = engine.submit(request);   // from any thread
//   while (auto piece = answer.next()) std::cout << *piece; // text as it becomes certain
//   Result result = answer.wait();
//
// An Engine belongs to one thread. Here everything that others ask of it is put into a queue, and the
// engine's thread does it between two steps; so a call may take as long as a step.
//
// Thread safety: all members of EngineThread and Handle may be called by any thread, except from the
// callbacks of a request: these run on the engine's thread, where only cancel() is allowed.

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.hpp"

namespace rung {

class EngineThread {
 public:
  class Handle;

  /// Builds the engine on its own thread; throws here what Engine's constructor throws. `registry` outlives
  /// the engine.
  EngineThread(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);
  /// shutdown().
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  /// Queues a request of one sample. Throws what Engine::submit() throws, and Error when the engine has
  /// stopped. The request's own callbacks run on the engine's thread; one that throws ends its request alone,
  /// and wait() throws the same.
  Handle submit(Request request);
  /// The same for a request of n samples of one prompt, which is computed once: a handle for each. The
  /// request's callbacks hear the first.
  std::vector<Handle> submit_samples(Request request);

  EngineStats stats();
  KvUse kv_use();
  /// Throws Error when the bookkeeping of the cache contradicts itself.
  void check_integrity();

  /// Cancels what is under way, waits for the thread to end. Handles stay valid: their results say
  /// "cancelled". Called twice it does nothing.
  void shutdown();

 private:
  struct Stream;
  struct Shared;
  void loop(Engine& engine);

  std::shared_ptr<Shared> shared_;  // handles may outlive the engine
  std::thread thread_;
};

/// A request under way. Copies speak of the same request.
class EngineThread::Handle {
 public:
  /// Waits for the next piece of text, and takes it; nothing at the end. Throws what ended the request, if
  /// that was an error. Pieces are kept until they are taken.
  std::optional<std::string> next();
  /// Waits for the end. May be called again. Throws what ended the request, if that was an error.
  Result wait();
  bool finished() const;
  /// Asks for an early end, without waiting for it; nothing happens to a request that has ended.
  void cancel();
  /// Another request that goes on from this one's text (Engine::fork()).
  Handle fork(std::uint64_t seed);

 private:
  friend class EngineThread;
  Handle(std::shared_ptr<Shared> shared, std::shared_ptr<Stream> stream)
      : shared_(std::move(shared)), stream_(std::move(stream)) {}
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Stream> stream_;
};

}  // namespace rung
