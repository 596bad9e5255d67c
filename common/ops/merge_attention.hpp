#pragma once
// Two results of attention over different keys become the result over all of them.
//
// Softmax over the union of two sets of keys is a weighted mean of the softmaxes over each: the weights are
// the sums of exponentials, whose logarithms are the log-sum-exp that attention can write
// (seams/attention.hpp). Split KV, ring attention (Liu et al. 2023, arXiv 2310.01889) and cascades of shared
// prefixes are built on it.

#include <algorithm>
#include <cmath>

#include "core/tensor.hpp"

namespace rung {

/// out and lse become those over both sets. out, more_out [tokens, heads * head_dim] f32, lse, more_lse
/// [tokens, heads] f32; rows may be strided. A log-sum-exp of -infinity stands for no keys; its row of out is
/// not read.
inline void merge_attention(const Tensor& out, const Tensor& lse, const Tensor& more_out,
                            const Tensor& more_lse) {
  const std::int64_t heads = lse.cols, head_dim = out.cols / heads;
  for (std::int64_t t = 0; t < out.rows; ++t) {
    for (std::int64_t h = 0; h < heads; ++h) {
      float& own = lse.ptr<float>(t)[h];
      const float more = more_lse.ptr<float>(t)[h];
      if (std::isinf(more) && more < 0) continue;
      float* to = out.ptr<float>(t) + h * head_dim;
      const float* from = more_out.ptr<float>(t) + h * head_dim;
      if (std::isinf(own) && own < 0) {
        std::copy_n(from, head_dim, to);
        own = more;
        continue;
      }
      const float largest = std::max(own, more);
      const float keep = std::exp(own - largest), take = std::exp(more - largest);
      const float sum = keep + take;
      for (std::int64_t d = 0; d < head_dim; ++d) to[d] = (to[d] * keep + from[d] * take) / sum;
      own = largest + std::log(sum);
    }
  }
}

}  // namespace rung
