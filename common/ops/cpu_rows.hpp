#pragma once
// The operations of cpu_ops.cpp on one row. 03_techniques/kernel_fusion also uses them, for several
// operations on a row while it is in the nearest cache. The results are bitwise the same, because both use
// the same code.

#include <cmath>
#include <cstdint>

#include "seams/ops.hpp"

namespace rung {

/// Returns the sum of term(i) for 0 <= i < n. It keeps eight independent partial sums, so that the compiler
/// can use vectors.
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

/// Returns 1 / sqrt(mean(x^2) + eps) for the n numbers x.
inline float inverse_rms(const float* x, std::int64_t n, float eps) {
  const double square =
      sum_of(n, [x](std::int64_t i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
  return static_cast<float>(1.0 / std::sqrt(square / static_cast<double>(n) + eps));
}

/// Computes y = x / sqrt(mean(x^2) + eps) * weight for n numbers. y may be x.
inline void rmsnorm_row(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  const float scale = inverse_rms(x, n, eps);
  for (std::int64_t c = 0; c < n; ++c) y[c] = x[c] * scale * weight[c];
}

/// Computes x += scale * y for n numbers.
inline void add_scaled(const float* y, float scale, std::int64_t n, float* x) {
  for (std::int64_t c = 0; c < n; ++c) x[c] += scale * y[c];
}

/// Rotates each head of a row of `cols` numbers in place, by the angles of `position`.
inline void rotate_row(const RopeTables& tables, std::int64_t position, std::int64_t cols, float* row) {
  const std::int64_t half = tables.rotary_dim / 2;
  // Pair i of a head has the elements i * stride and i * stride + distance.
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
