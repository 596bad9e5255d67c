#pragma once
// Merges two results of attention over different keys into the result over all of these keys.
//
// Attention over the union of two sets of keys is a weighted mean of the attention over each set. The weights
// are the sums of exponentials, and attention can write their logarithms, the log-sum-exp
// (seams/attention.hpp). Split KV, ring attention (Liu et al. 2023, arXiv 2310.01889) and cascades of shared
// prefixes use this.

#include <algorithm>
#include <cmath>

#include "core/tensor.hpp"

namespace rung {

/// Replaces `out` and `lse` by the result over both sets of keys. out and more_out [tokens, heads * head_dim]
/// f32, lse and more_lse [tokens, heads] f32; rows may be strided. A log-sum-exp of -infinity means that
/// there are no keys; the output of this head is then not read.
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
