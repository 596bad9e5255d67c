// Rung 0: the formula as it stands in the paper (Vaswani et al. 2017, section 3.2.1), one row at a time.
//
//     out = sum_p w_p v_p      w = softmax(s)      s_p = scale * (q . k_p)      p = 0 .. visible - 1
//
// row.score() is scale * (q . k_p), capped where the model wants it.
//
// All scores of the row are written down before any is used: three passes over them. The largest score is
// subtracted first, which changes nothing in the quotient and keeps exp() from overflowing.
// Threads share the (row, head) pairs.

#include <algorithm>
#include <cmath>

#include "attention.hpp"

namespace rung::attention {
namespace {

float dot(const float* a, const float* b, int n) {
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// Turns the row's scores into exp(score - the largest); returns their sum, and writes the log-sum-exp.
float exponentials(const HeadRow& row, int head_dim, float* scores) {
  for (int p = 0; p < row.visible; ++p) scores[p] = row.score(dot(row.q, row.key(p), head_dim));

  const float largest = *std::max_element(scores, scores + row.visible);
  float sum = 0;
  for (int p = 0; p < row.visible; ++p) {
    scores[p] = std::exp(scores[p] - largest);
    sum += scores[p];
  }
  if (row.lse != nullptr) *row.lse = largest + std::log(sum);
  return sum;
}

void attend(const HeadRow& row, int head_dim, float* scores) {
  const float sum = exponentials(row, head_dim, scores);

  std::fill_n(row.out, head_dim, 0.0f);
  for (int p = 0; p < row.visible; ++p) {
    const float weight = scores[p] / sum;
    const float* value = row.value(p);
    for (int d = 0; d < head_dim; ++d) row.out[d] += weight * value[d];
  }
}

}  // namespace

void naive(const Call& call) {
  const int heads = call.config.heads;
  parallel_for_dynamic(call.config.threads, call.tokens() * heads, [&](std::int64_t i) {
    const HeadRow row = call.row(i / heads, static_cast<int>(i % heads));
    attend(row, call.config.head_dim, call.scratch());
  });
}

void log_sum_exp(const Call& call) {
  const int heads = call.config.heads;
  parallel_for_dynamic(call.config.threads, call.tokens() * heads, [&](std::int64_t i) {
    exponentials(call.row(i / heads, static_cast<int>(i % heads)), call.config.head_dim, call.scratch());
  });
}

}  // namespace rung::attention
