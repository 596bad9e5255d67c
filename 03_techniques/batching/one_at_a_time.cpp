// Rung 0: the next request begins when the last one has ended. Nobody is ever disturbed, and while one
// sequence decodes every weight is read for a single token.

#include "batching.hpp"

namespace rung::batching {

void one_at_a_time(Step& step) {
  if (step.queues.running.empty()) step.admit_one();
  step.plan_prompts();
  step.plan_decodes();
}

}  // namespace rung::batching
