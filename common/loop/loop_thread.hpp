#pragma once
// A serving loop with its own thread, for programs with several threads.
//
//   std::shared_ptr<Stream> answer = service.submit(request);     // from any thread
//   while (auto delta = answer->next()) std::cout << delta->text; // text that is final
//   Result result = answer->wait();
//
// Only one thread may use a StepLoop. Therefore calls from other threads are put into a queue, and the loop's
// thread executes them between two steps. A call may take as long as a step.
//
// Thread safety: see seams/inference_service.hpp.

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "loop/step_loop.hpp"
#include "seams/inference_service.hpp"

namespace rung {

class LoopThread : public InferenceService {
 public:
  /// Returns a new loop. The pointer also owns everything that the loop uses.
  using Build = std::function<std::shared_ptr<StepLoop>()>;

  /// Calls build() on the new thread and rethrows what it throws.
  explicit LoopThread(Build build);
  /// Calls shutdown().
  ~LoopThread() override;
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  std::shared_ptr<Stream> submit(Request request) override;
  std::vector<std::shared_ptr<Stream>> submit_samples(Request request) override;
  ServiceSnapshot snapshot() override;
  /// Throws Error if the bookkeeping of the KV cache is inconsistent.
  void check_integrity();

  /// Cancels all requests that have not ended, and waits until the loop's thread has ended. Streams remain
  /// valid, and the results of cancelled requests have FinishReason::cancelled. A second call does nothing.
  void shutdown();

 private:
  struct Shared;
  class RequestStream;
  void drive(StepLoop& loop);

  std::shared_ptr<Shared> shared_;  // streams may outlive the loop
  std::thread thread_;
};

}  // namespace rung
