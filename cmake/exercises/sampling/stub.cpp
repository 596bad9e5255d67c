// Your rung of `sampler`: the nucleus (top-p) and the draw.
//
// Both functions receive the remaining tokens as {id, probability}. The probabilities add up to 1. Bias,
// penalties, temperature and the other filters are done for you, as the naive rung does them.
// `./test.sh -R '^sampling.mine$'` judges your rung, and `rung generate --sampler mine` uses it.

#include <algorithm>

#include "sampling.hpp"

namespace rung::sampling {

// choices: ascending ids. u in [0, 1). Sets token to the id whose stretch of the cumulative sum u is in.
Progress my_draw(std::span<const Choice> choices, double u, std::int32_t& token) {
  // 1. Walk the choices, adding up their probabilities. The first sum above u names the token.
  // 2. The last sum may be 0.9999999 instead of 1, and u above it: which token is it then?
  (void)choices, (void)u, (void)token;
  return Progress::not_started;  // when you have written it: Progress::done
}

// choices: ascending ids, in and out. Keeps the smallest set of most probable tokens that holds top_p.
Progress my_top_p(std::vector<Choice>& choices, double top_p) {
  // 1. Order by probability, the largest first, the lower id first among equals.
  // 2. Keep tokens from the front until they hold top_p together.
  // 3. Put what is left in order of ids again. (Normalising is done for you.)
  (void)choices, (void)top_p;
  return Progress::not_started;  // when you have written it: Progress::done
}

}  // namespace rung::sampling
