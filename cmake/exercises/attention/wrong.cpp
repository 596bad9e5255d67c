// A wrong answer to the attention exercise: the softmax does not subtract the largest score, so that it
// overflows.

#include <algorithm>
#include <cmath>

#include "exercise.hpp"

namespace rung::attention {

// Step 1. The scores of one row. `scores` has space for row.visible numbers. Test: attention.mine.1
//   scores[p] = row.score(sum over d of row.q[d] * row.key(p)[d])
void my_scores(const HeadRow& row, float* scores) {
  for (int p = 0; p < row.visible; ++p) {
    const float* key = row.key(p);
    float product = 0;
    for (int d = 0; d < row.head_dim; ++d) product += row.q[d] * key[d];
    scores[p] = row.score(product);
  }
}

// Step 2. Replaces n scores by weights from 0 to 1 whose sum is 1. Scores can be in the thousands and can
// have either sign. Test: attention.mine.2
//   weight[p] = exp(score[p] - largest score) / sum of these exponentials
void my_softmax(float* scores, int n) {
  float sum = 0;
  for (int p = 0; p < n; ++p) {
    scores[p] = std::exp(scores[p]);  // the bug
    sum += scores[p];
  }
  for (int p = 0; p < n; ++p) scores[p] /= sum;
}

// Step 3. The weighted sum of the values. `weights` has row.visible numbers. Before the call, row.out
// contains arbitrary numbers. Test: attention.mine.3
//   row.out[d] = sum over p of weights[p] * row.value(p)[d]
void my_weighted_sum(const HeadRow& row, const float* weights) {
  std::fill_n(row.out, row.head_dim, 0.0f);
  for (int p = 0; p < row.visible; ++p) {
    const float* value = row.value(p);
    for (int d = 0; d < row.head_dim; ++d) row.out[d] += weights[p] * value[d];
  }
}

// Step 4. Attention for the whole batch: the steps 1 to 3 for every token t = 0 .. call.tokens() - 1 and
// every head h = 0 .. call.config.heads - 1. call.row(t, h) is the row. Finish one row before you ask for the
// next. call.scratch() has space for the scores of one row; every thread has its own. Test: attention.mine.4
void mine(const Call& call) {
  const int heads = call.config.heads;
  parallel_for(call.config.threads, call.tokens() * heads, [&](std::int64_t i) {
    const HeadRow row = call.row(i / heads, static_cast<int>(i % heads));
    float* scores = call.scratch();
    my_scores(row, scores);
    my_softmax(scores, row.visible);
    my_weighted_sum(row, scores);
  });
}

}  // namespace rung::attention
