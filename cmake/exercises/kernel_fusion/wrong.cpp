// A learner's rung that is nearly right: one sweep too few, the squares are those of x before the add. The
// test of the exercise flow puts it in the place of 03_techniques/kernel_fusion/mine.cpp on a scratch copy
// and wants it refused.

#include <cmath>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

void mine(const Tensor& out, float scale, const Tensor& x, const Tensor& weight, float eps, const Tensor& to,
          int threads) {
  parallel_for(threads, x.rows, [&](std::int64_t t) {
    const float *add = out.ptr<float>(t), *w = weight.ptr<float>();
    float *row = x.ptr<float>(t), *norm = to.ptr<float>(t);
    double square = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      square += static_cast<double>(row[c]) * static_cast<double>(row[c]);  // the bug
      row[c] += scale * add[c];
    }
    const auto factor = static_cast<float>(1 / std::sqrt(square / static_cast<double>(x.cols) + eps));
    for (std::int64_t c = 0; c < x.cols; ++c) norm[c] = row[c] * factor * w[c];
  });
}

}  // namespace rung::kernel_fusion
