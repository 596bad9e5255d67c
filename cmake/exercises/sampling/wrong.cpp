// A wrong answer: the token that crosses top_p is left out of the nucleus.

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "sampling.hpp"

namespace rung::sampling {

// Step 1. The probabilities of logits at a temperature above 0: the softmax of logits[i] / temperature. Both
// arrays have the same size. Logits can be in the thousands. Test: sampling.mine.1
void my_probabilities(std::span<const float> logits, double temperature, std::span<double> probabilities) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] =
        std::exp((static_cast<double>(logits[i]) - static_cast<double>(largest)) / temperature);
    sum += probabilities[i];
  }
  for (double& p : probabilities) p /= sum;
}

// Step 2. Draws a token. The choices are in ascending order of ids, and their probabilities add up to
// about 1. u is in [0, 1). Returns the id of the first choice at which the sum of the probabilities so far
// exceeds u. If rounding leaves the last sum at or below u, returns the id of the last choice. Test:
// sampling.mine.2
std::int32_t my_draw(std::span<const Choice> choices, double u) {
  double sum = 0;
  for (const Choice& choice : choices) {
    sum += choice.probability;
    if (u < sum) return choice.id;
  }
  return choices.back().id;  // rounding left the sum below u
}

// Step 3. The nucleus. Keeps the smallest set of most probable choices whose probabilities add up to at least
// top_p; of two equally probable choices, the one with the lower id comes first. If rounding leaves the sum
// of all choices below top_p, keeps all of them. The choices are in ascending order of ids before and after
// the call. You need not make the probabilities add up to 1 again. Test: sampling.mine.3
void my_top_p(std::vector<Choice>& choices, double top_p) {
  std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
  });
  double held = 0;
  std::size_t kept = 0;
  while (kept < choices.size() && held + choices[kept].probability < top_p)
    held += choices[kept++].probability;
  kept = std::max<std::size_t>(kept, 1);
  choices.resize(kept);
  std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) { return a.id < b.id; });
}

}  // namespace rung::sampling
