#pragma once
// An engine with a thread of its own that drives it, for programs with several threads.
//
//   EngineThread engine(model, variants(), config);
//   std::shared_ptr<Stream> answer = engine.submit(request);      // from any thread
//   while (auto delta = answer->next()) std::cout << delta->text; // text that is final
//   Result result = answer->wait();
//
// Only one thread may use an Engine. Therefore calls from other threads are put into a queue, and the
// engine's thread executes them between two steps. A call may take as long as a step.
//
// Thread safety: see seams/inference_service.hpp.

#include <memory>
#include <thread>
#include <vector>

#include "engine/engine.hpp"
#include "seams/inference_service.hpp"

namespace rung {

class EngineThread final : public InferenceService {
 public:
  /// Builds the engine on its own thread and rethrows what the constructor of Engine throws. `registry` must
  /// outlive the engine.
  EngineThread(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);
  /// Calls shutdown().
  ~EngineThread() override;
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  std::shared_ptr<Stream> submit(Request request) override;
  std::vector<std::shared_ptr<Stream>> submit_samples(Request request) override;
  ServiceSnapshot snapshot() override;
  /// Throws Error if the bookkeeping of the KV cache is inconsistent.
  void check_integrity();

  /// Cancels all requests that have not ended, and waits until the engine's thread has ended. Streams remain
  /// valid, and the results of cancelled requests have FinishReason::cancelled. A second call does nothing.
  void shutdown();

 private:
  struct Shared;
  class RequestStream;
  void loop(Engine& engine);

  std::shared_ptr<Shared> shared_;  // streams may outlive the engine
  std::thread thread_;
};

}  // namespace rung
