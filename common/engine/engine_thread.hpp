#pragma once
// An engine and the thread that drives it: what a program uses that has other threads of its own.
//
//   EngineThread engine(model, variants(), config);
//   std::shared_ptr<Stream> answer = engine.submit(request);      // from any thread
//   while (auto delta = answer->next()) std::cout << delta->text; // text as it becomes certain
//   Result result = answer->wait();
//
// An Engine belongs to one thread. Here everything that others ask of it is put into a queue, and the
// engine's thread does it between two steps; so a call may take as long as a step.
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
  /// Builds the engine on its own thread; throws here what Engine's constructor throws. `registry` outlives
  /// the engine.
  EngineThread(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config);
  /// shutdown().
  ~EngineThread() override;
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  std::shared_ptr<Stream> submit(Request request) override;
  std::vector<std::shared_ptr<Stream>> submit_samples(Request request) override;
  ServiceSnapshot snapshot() override;
  /// Throws Error when the bookkeeping of the cache contradicts itself.
  void check_integrity();

  /// Cancels what is under way, waits for the thread to end. Streams stay valid: their results say
  /// "cancelled". Called twice it does nothing.
  void shutdown();

 private:
  struct Shared;
  class RequestStream;
  void loop(Engine& engine);

  std::shared_ptr<Shared> shared_;  // streams may outlive the engine
  std::thread thread_;
};

}  // namespace rung
