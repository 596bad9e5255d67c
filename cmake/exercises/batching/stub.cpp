// Your scheduler, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises batching          builds this file and judges all steps
//   rung exercises batching --hint   shows one hint for the step that does not pass yet
//
// A Step (batching.hpp) is one forward pass that you plan:
//   step.queues.running      pointers to the sequences that run; the last one is preempted first
//   step.plan_tokens(s)      plans as much of sequence s as the step and the memory allow. It may preempt
//                            sequences, also s itself, and remove them from step.queues.running
//   step.admit_one()         moves the first waiting sequence to the end of the running ones. Returns false
//                            if there is no room for it, or if no sequence waits
//   step.tokens_left         how many tokens the step can still compute
// s.missing() is the number of tokens of s that are not computed yet: 1 while it decodes, more in a prompt or
// after a preemption, and 0 while its next token is being sampled.

#include "batching.hpp"
#include "core/error.hpp"

namespace rung::batching {
namespace {

[[noreturn]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/batching/mine.cpp", function));
}

}  // namespace

// Step 1. Plans one token for every running sequence that decodes, in the order of step.queues.running. Write
// the loop yourself, without step.plan_decodes(). Test: batching.mine.1
void my_decodes([[maybe_unused]] Step& step) { not_started("my_decodes()"); }

// Step 2. The same for all other running sequences that miss tokens. step.plan_tokens() computes a part of a
// prompt if the whole prompt does not fit. Test: batching.mine.2
void my_prompts([[maybe_unused]] Step& step) { not_started("my_prompts()"); }

// Step 3. The scheduler. Choose the order of my_decodes(), my_prompts() and step.admit_one(), and the
// conditions for them. Every request must end, however little memory there is. Test: batching.mine.3
void mine([[maybe_unused]] Step& step) { not_started("mine()"); }

}  // namespace rung::batching
