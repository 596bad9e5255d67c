// Rung 2: a batch begins when it is full or when its first request has waited long enough (Triton Inference
// Server calls it dynamic batching). Fuller batches than rung 1 where requests trickle in, for some waiting;
// what happens inside a batch is the same.

#include <algorithm>

#include "batching.hpp"

namespace rung::batching {

void dynamic_batch(Step& step) {
  const auto& waiting = step.queues.waiting;
  if (step.queues.running.empty() && !waiting.empty()) {
    const auto oldest = std::min_element(waiting.begin(), waiting.end(), [](const auto* a, const auto* b) {
      return a->arrival_s < b->arrival_s;
    });
    const bool full = static_cast<int>(waiting.size()) >= step.config.max_sequences;
    const double begins_s = (*oldest)->arrival_s + step.config.window_s;
    if (!full && step.now_s < begins_s) {
      step.waits_until_s = begins_s;
      return;
    }
    step.admit();
  }
  step.plan_prompts();
  if (step.plan.empty()) step.plan_decodes();
}

}  // namespace rung::batching
