// The first 2 steps of one right answer to the exercise of 03_techniques/scheduling.

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
void my_learn(AnswerLengths& lengths, const ScheduledSequence& s) {
  for (MeanLength* mean : {&lengths.all, &lengths.classes[class_of(s)]}) {
    mean->count = std::min(mean->count + 1, kRememberedAnswers);
    mean->tokens += (s.output_tokens - mean->tokens) / mean->count;
  }
}

// Step 2. Returns the work that s probably still needs. The expected length of its answer is the mean of its
// class. If no request of its class has ended, it is the mean of all requests, and without any finished
// request, it is s.max_tokens. Correct the expected length in this order: it is at most s.max_tokens, and
// then at least s.output_tokens + 1.
//   work = kPromptTokenWork * s.missing() + expected length - s.output_tokens
// Test: scheduling.mine.2
double my_work_left(const AnswerLengths& lengths, const ScheduledSequence& s) {
  double expected = s.max_tokens;
  const auto found = lengths.classes.find(class_of(s));
  if (found != lengths.classes.end()) {
    expected = found->second.tokens;
  } else if (lengths.all.count > 0) {
    expected = lengths.all.tokens;
  }
  expected = std::max(std::min<double>(expected, s.max_tokens), s.output_tokens + 1.0);
  return kPromptTokenWork * s.missing() + expected - s.output_tokens;
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
