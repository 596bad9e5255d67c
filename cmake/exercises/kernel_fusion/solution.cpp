// A learner's rung that passes: add and sum of squares in one sweep of a row, then the norm. The test of the
// exercise flow puts it in the place of 03_techniques/kernel_fusion/mine.cpp on a scratch copy.

#include <cmath>

#include "core/parallel.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {

void mine(const Tensor& out, float scale, const Tensor& x, const Tensor& weight, float eps, const Tensor& to,
          int threads) {
  parallel_for(x.rows > 8 ? threads : 1, x.rows, [&](std::int64_t t) {
    const float *add = out.ptr<float>(t), *w = weight.ptr<float>();
    float *row = x.ptr<float>(t), *norm = to.ptr<float>(t);
    double square = 0;
    for (std::int64_t c = 0; c < x.cols; ++c) {
      row[c] += scale * add[c];
      square += static_cast<double>(row[c]) * static_cast<double>(row[c]);
    }
    const auto factor = static_cast<float>(1 / std::sqrt(square / static_cast<double>(x.cols) + eps));
    for (std::int64_t c = 0; c < x.cols; ++c) norm[c] = row[c] * factor * w[c];
  });
}

}  // namespace rung::kernel_fusion
