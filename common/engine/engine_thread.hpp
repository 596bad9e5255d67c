#pragma once
// An engine with a thread of its own that drives it (loop/loop_thread.hpp), for programs with several
// threads.
//
//   EngineThread engine(model, variants(), config);
//   std::shared_ptr<Stream> answer = engine.submit(request);      // from any thread
//   while (auto delta = answer->next()) std::cout << delta->text; // text that is final
//   Result result = answer->wait();
//
// Thread safety: see seams/inference_service.hpp.

#include <memory>
#include <utility>

#include "engine/engine.hpp"
#include "loop/loop_thread.hpp"

namespace rung {

class EngineThread final : public LoopThread {
 public:
  /// Builds the engine on its own thread and rethrows what the constructor of Engine throws. `registry` must
  /// outlive the engine.
  EngineThread(std::shared_ptr<const Model> model, const Registry& registry, EngineConfig config)
      : LoopThread([model = std::move(model), &registry, config = std::move(config)] {
          const auto engine = std::make_shared<Engine>(model, registry, config);
          return std::shared_ptr<StepLoop>(engine, &engine->loop());
        }) {}
};

}  // namespace rung
