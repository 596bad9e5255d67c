#pragma once
// What cpu_ops.cpp does to one row: also for those who do several of these things to a row while it is in the
// nearest cache (03_techniques/kernel_fusion). Both give the same bits because it is the same code.

#include <cmath>
#include <cstdint>

#include "seams/ops.hpp"

namespace rung {

/// Sum of term(i) for i < n. Eight running sums: independent of each other, so that the compiler may use
/// vectors.
template <class Term>
double sum_of(std::int64_t n, const Term& term) {
  constexpr std::int64_t kLanes = 8;
  double sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  double total = 0;
  for (; i < n; ++i) total += term(i);
  for (const double sum : sums) total += sum;
  return total;
}

/// 1 / sqrt(mean(x^2) + eps) of n numbers.
inline float inverse_rms(const float* x, std::int64_t n, float eps) {
  const double square =
      sum_of(n, [x](std::int64_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
  return static_cast<float>(1.0 / std::sqrt(square / static_cast<double>(n) + eps));
}

/// y = x / sqrt(mean(x^2) + eps) * weight over n numbers; y may be x.
inline void rmsnorm_row(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  const float scale = inverse_rms(x, n, eps);
  for (std::int64_t c = 0; c < n; ++c) y[c] = x[c] * scale * weight[c];
}

/// x += scale * y over n numbers.
inline void add_scaled(const float* y, float scale, std::int64_t n, float* x) {
  for (std::int64_t c = 0; c < n; ++c) x[c] += scale * y[c];
}

/// Turns every head of a row of `cols` numbers to `position`, in place.
inline void rotate_row(const RopeTables& tables, std::int64_t position, std::int64_t cols, float* row) {
  const std::int64_t half = tables.rotary_dim / 2;
  // Where the two members of pair i lie within a head.
  const std::int64_t stride = tables.pairs == RopePairs::interleaved ? 2 : 1;
  const std::int64_t distance = tables.pairs == RopePairs::interleaved ? 1 : half;
  const float* cos = tables.cos.ptr<float>(position);
  const float* sin = tables.sin.ptr<float>(position);
  for (float* head = row; head < row + cols; head += tables.head_dim) {
    for (std::int64_t i = 0; i < half; ++i) {
      float& first = head[i * stride];
      float& second = head[i * stride + distance];
      const float a = first, b = second;
      first = a * cos[i] - b * sin[i];
      second = a * sin[i] + b * cos[i];
    }
  }
}

}  // namespace rung
