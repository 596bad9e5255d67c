// Rung 4: decode and prompts share every step (Sarathi-Serve: Agrawal et al. 2024, arXiv 2403.02310).
// Everybody who decodes gets a token first; what is left of the step's tokens goes to prompts, which are cut
// where it ends. So a long prompt makes each step a little longer instead of one step very long.

#include "batching.hpp"

namespace rung::batching {

void chunked(Step& step) {
  step.plan_decodes();
  step.plan_prompts();
  while (step.tokens_left > 0 && step.admit_one()) step.plan_tokens(*step.queues.running.back());
}

}  // namespace rung::batching
