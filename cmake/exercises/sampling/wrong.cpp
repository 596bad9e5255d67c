// A mine.cpp for `sampler` with one mistake: the token that crosses top_p is left out of the nucleus.
// The exercise test expects it to fail.

#include <algorithm>

#include "sampling.hpp"

namespace rung::sampling {

Progress my_draw(std::span<const Choice> choices, double u, std::int32_t& token) {
  double sum = 0;
  for (const Choice& choice : choices) {
    token = choice.id;  // the last one stays when rounding leaves the sum below u
    sum += choice.probability;
    if (u < sum) break;
  }
  return Progress::done;
}

Progress my_top_p(std::vector<Choice>& choices, double top_p) {
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
  return Progress::done;
}

}  // namespace rung::sampling
