// Your rung: which tokens the next step computes. The lesson beside this file says which test judges it.
//
// The idea, with the moves of class Step in batching.hpp:
//   1. plan_decodes() gives everybody who decodes a token, plan_prompts() works on prompts, admit() lets in
//   who waits;
//      each keeps to the limits of the step
//   2. in which order, and what only under which condition, is all there is to write
//   3. every request must end, whatever the memory; rung exercises also says whether the schedule is good:
//      few steps, short waits

#include "batching.hpp"
#include "core/error.hpp"

namespace rung::batching {

void mine([[maybe_unused]] Step& step) {
  throw NotStarted("scheduler rung 'mine' is not started: write 03_techniques/batching/mine.cpp");
}

}  // namespace rung::batching
