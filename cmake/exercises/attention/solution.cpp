// A learner's rung that is right: the three steps of mine.cpp, one after the other. The test of the
// exercise flow puts it in the place of 03_techniques/attention/mine.cpp on a scratch copy.

#include <algorithm>
#include <cmath>

#include "attention.hpp"

namespace rung::attention {

void mine(const Call& call) {
  const int heads = call.config.heads;
  const int head_dim = call.config.head_dim;
  parallel_for(call.config.threads, call.tokens() * heads, [&](std::int64_t i) {
    const HeadRow row = call.row(i / heads, static_cast<int>(i % heads));
    float* weights = call.scratch();

    float largest = -INFINITY;
    for (int p = 0; p < row.visible; ++p) {
      float product = 0;
      for (int d = 0; d < head_dim; ++d) product += row.q[d] * row.key(p)[d];
      weights[p] = row.score(product);
      largest = std::max(largest, weights[p]);
    }

    float sum = 0;
    for (int p = 0; p < row.visible; ++p) {
      weights[p] = std::exp(weights[p] - largest);
      sum += weights[p];
    }

    for (int d = 0; d < head_dim; ++d) {
      float mixed = 0;
      for (int p = 0; p < row.visible; ++p) mixed += weights[p] * row.value(p)[d];
      row.out[d] = mixed / sum;
    }
  });
}

}  // namespace rung::attention
