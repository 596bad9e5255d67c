// The first step of one right answer to the exercise of 03_techniques/batching.

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
void my_decodes(Step& step) {
  for (std::size_t i = 0; i < step.queues.running.size();) {
    ScheduledSequence& s = *step.queues.running[i];
    if (s.missing() == 1) step.plan_tokens(s);
    if (i < step.queues.running.size() && step.queues.running[i] == &s) ++i;  // otherwise, s was preempted
  }
}

// Step 2. The same for all other running sequences that miss tokens. step.plan_tokens() computes a part of a
// prompt if the whole prompt does not fit. Test: batching.mine.2
void my_prompts([[maybe_unused]] Step& step) { not_started("my_prompts()"); }

// Step 3. The scheduler. Choose the order of my_decodes(), my_prompts() and step.admit_one(), and the
// conditions for them. Every request must end, however little memory there is. Test: batching.mine.3
void mine([[maybe_unused]] Step& step) { not_started("mine()"); }

}  // namespace rung::batching
