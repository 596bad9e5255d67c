// Rung 3: who belongs to the batch is decided anew before every step (iteration-level scheduling: Orca, Yu et
// al. 2022, OSDI). A place that becomes free is taken in the next step. Prompts go first, in steps of their
// own, as in the first vLLM: while a long one is computed, nobody gets a token.

#include "batching.hpp"

namespace rung::batching {

void continuous(Step& step) {
  step.admit();
  step.plan_prompts();
  if (step.plan.empty()) step.plan_decodes();
}

}  // namespace rung::batching
