// Your policy, in three steps. The lesson beside this file explains the idea. Judge with
//
//   rung exercises scheduling          builds this file and judges all steps
//   rung exercises scheduling --hint   shows one hint for the step that does not pass yet
//
// The policy remembers how long answers were, estimates the work that a request still needs, and ranks the
// requests. scheduling.hpp declares AnswerLengths, class_of(s) and the constants. A ScheduledSequence s
// (common/seams/scheduler.hpp) is a request:
//   s.output_tokens  how many tokens it has generated; after its end, the length of the answer
//   s.max_tokens     the limit for output_tokens
//   s.missing()      how many of its tokens must still be computed before it can generate the next one
//   s.arrival_s      when it arrived, in seconds; now_s is on the same clock
//   s.priority       larger is more urgent

#include <algorithm>

#include "core/error.hpp"
#include "scheduling.hpp"

namespace rung::scheduling {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/scheduling/mine.cpp", function));
}

}  // namespace

// Step 1. Adds the answer of s, which has ended, to two means: lengths.all, and the mean of the class of s in
// lengths.classes. A class that is not in the map yet begins with count 0. For each of the two means:
//   count   becomes the smaller of count + 1 and kRememberedAnswers
//   tokens  becomes tokens + (length of the answer - tokens) / count, with the new count
// Test: scheduling.mine.1
void my_learn([[maybe_unused]] AnswerLengths& lengths, [[maybe_unused]] const ScheduledSequence& s) {
  not_started("my_learn()");
}

// Step 2. Returns the work that s probably still needs. The expected length of its answer is the mean of its
// class. If no request of its class has ended, it is the mean of all requests, and without any finished
// request, it is s.max_tokens. Correct the expected length in this order: it is at most s.max_tokens, and
// then at least s.output_tokens + 1.
//   work = kPromptTokenWork * s.missing() + expected length - s.output_tokens
// Test: scheduling.mine.2
double my_work_left([[maybe_unused]] const AnswerLengths& lengths,
                    [[maybe_unused]] const ScheduledSequence& s) {
  not_started("my_work_left()");
}

// Step 3. Returns the rank of s. The smallest rank goes first; equal ranks go in order of arrival. Choose the
// formula. A long request of low priority must get its turn even while short, urgent requests keep arriving.
// config.aging_s is the number of seconds of waiting that are worth one step of priority, for formulas that
// need it. Test: scheduling.mine.3
double my_rank([[maybe_unused]] const PolicyConfig& config, [[maybe_unused]] const AnswerLengths& lengths,
               [[maybe_unused]] const ScheduledSequence& s, [[maybe_unused]] double now_s) {
  not_started("my_rank()");
}

}  // namespace rung::scheduling
