// Your rung decides which tokens the next step computes. The lesson (README.md) says which test judges it.
//
// A rung calls the moves of class Step (batching.hpp):
//   1. plan_decodes() plans a token for every sequence that decodes, plan_prompts() plans prompts, and
//      admit() moves waiting sequences into the running list. All of them keep to the limits of the step.
//   2. You choose the order of the moves, and the conditions under which they are called.
//   3. Every request must finish, however little memory there is. `rung exercises` also says whether the
//      schedule is good: few steps and short waits.

#include "batching.hpp"
#include "core/error.hpp"

namespace rung::batching {

void mine([[maybe_unused]] Step& step) {
  throw NotStarted("scheduler rung 'mine' is not started: write 03_techniques/batching/mine.cpp");
}

}  // namespace rung::batching
