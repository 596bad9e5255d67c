// Rung 1: as many as fit begin together, and the next ones when all of these have ended. A step reads the
// weights once for the whole batch. But a batch lasts as long as its longest text: who ended earlier leaves
// its place empty, and who came a moment too late waits for all of them.

#include "batching.hpp"

namespace rung::batching {

void static_batch(Step& step) {
  if (step.queues.running.empty()) step.admit();
  step.plan_prompts();
  if (step.plan.empty()) step.plan_decodes();
}

}  // namespace rung::batching
