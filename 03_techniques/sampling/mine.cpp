// Your sampler, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises sampling          builds this file and judges all steps
//   rung exercises sampling --hint   shows one hint for the step that does not pass yet
//
// Bias, penalties and the filters other than top-p are done for you, as the naive rung does them.

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "sampling.hpp"

namespace rung::sampling {
namespace {

[[noreturn]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 03_techniques/sampling/mine.cpp", function));
}

}  // namespace

// Step 1. The probabilities of logits at a temperature above 0: the softmax of logits[i] / temperature. Both
// arrays have the same size. Logits can be in the thousands. Test: sampling.mine.1
void my_probabilities([[maybe_unused]] std::span<const float> logits, [[maybe_unused]] double temperature,
                      [[maybe_unused]] std::span<double> probabilities) {
  not_started("my_probabilities()");
}

// Step 2. Draws a token. The choices are in ascending order of ids, and their probabilities add up to
// about 1. u is in [0, 1). Returns the id of the first choice at which the sum of the probabilities so far
// exceeds u. If rounding leaves the last sum at or below u, returns the id of the last choice. Test:
// sampling.mine.2
std::int32_t my_draw([[maybe_unused]] std::span<const Choice> choices, [[maybe_unused]] double u) {
  not_started("my_draw()");
}

// Step 3. The nucleus. Keeps the smallest set of most probable choices whose probabilities add up to at least
// top_p; of two equally probable choices, the one with the lower id comes first. If rounding leaves the sum
// of all choices below top_p, keeps all of them. The choices are in ascending order of ids before and after
// the call. You need not make the probabilities add up to 1 again. Test: sampling.mine.3
void my_top_p([[maybe_unused]] std::vector<Choice>& choices, [[maybe_unused]] double top_p) {
  not_started("my_top_p()");
}

}  // namespace rung::sampling
