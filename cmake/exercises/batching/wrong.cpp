// A wrong answer: prompts are computed, and nobody ever decodes.

#include "batching.hpp"

namespace rung::batching {

void mine(Step& step) {
  step.admit();
  step.plan_prompts();
}

}  // namespace rung::batching
