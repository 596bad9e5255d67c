// A correct answer that is not good: a batch begins together, and everybody waits for its longest answer.

#include "batching.hpp"

namespace rung::batching {

void mine(Step& step) {
  if (step.queues.running.empty()) step.admit();
  step.plan_decodes();
  step.plan_prompts();
}

}  // namespace rung::batching
