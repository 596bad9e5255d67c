// Rung 1: one pass. The scores are never written down (Milakov and Gimelshein 2018, arXiv 1805.02867).
//
// Softmax needs the largest score before the first exp(), so rung 0 reads its scores again and again.
// Here a running maximum m is good enough: when a larger score arrives, everything summed so far is
// multiplied by exp(m_old - m_new), as if it had been computed with the new maximum from the start.
// Each key and its value are read together, and scratch memory no longer grows with the context.

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention.hpp"

namespace rung::attention {
namespace {

float dot(const float* a, const float* b, int n) {
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void attend(const HeadRow& row, int head_dim) {
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0;  // of exp(score - largest), over the keys so far
  std::fill_n(row.out, head_dim, 0.0f);

  for (int p = 0; p < row.visible; ++p) {
    const float score = row.score(dot(row.q, row.key(p), head_dim));
    if (score > largest) {
      const float shrink = std::exp(largest - score);  // exp(-inf) = 0 at the first key
      for (int d = 0; d < head_dim; ++d) row.out[d] *= shrink;
      sum *= shrink;
      largest = score;
    }
    const float weight = std::exp(score - largest);
    const float* value = row.value(p);
    for (int d = 0; d < head_dim; ++d) row.out[d] += weight * value[d];
    sum += weight;
  }

  for (int d = 0; d < head_dim; ++d) row.out[d] /= sum;
  if (row.lse != nullptr) *row.lse = largest + std::log(sum);
}

}  // namespace

void online_softmax(const Call& call) {
  const int heads = call.config.heads;
  parallel_for_dynamic(call.config.threads, call.tokens() * heads, [&](std::int64_t i) {
    attend(call.row(i / heads, static_cast<int>(i % heads)), call.config.head_dim);
  });
}

}  // namespace rung::attention
