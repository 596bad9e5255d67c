#pragma once
// Which scale (and minimum) of a block loses least: tried around the one that the extremes demand.
//
// Rounding to the nearest quant makes that a search, not a formula: some twenty scales are tried, each time
// the elements are rounded and the scale (and minimum) that fit these quants best are solved for by least
// squares. That is the kind of search that GGML does (ggml-quants.c: make_qx_quants, make_qkx2_quants). GGML
// weighs large elements more; here every element counts the same, which is the expected error of a product
// with inputs of equal variance, or by its weight.

#include <algorithm>

#include "core/dtype_codebook.hpp"
#include "core/dtype_rounding.hpp"

namespace rung::quantization {

/// What a least-squares fit needs to know about the quants q of N elements x; every term counts by its
/// weight.
struct Sums {
  double q = 0, qq = 0, xq = 0;
};

/// q = x * inverse + offset, rounded and limited to [low, high].
template <int N, class Weights>
Sums sums_of(const float* x, Weights weights, float inverse, float offset, float low, float high) {
  using formats::kLanes;
  float q_sum[kLanes] = {}, qq_sum[kLanes] = {}, xq_sum[kLanes] = {};
  for (int i = 0; i < N; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const float wanted = std::min(std::max(x[i + l] * inverse + offset, low), high);
      const float q = formats::nearest(wanted - low) + low;
      const float weighted = weights[i + l] * q;
      q_sum[l] += weighted;
      qq_sum[l] += weighted * q;
      xq_sum[l] += weighted * x[i + l];
    }
  }
  Sums sums;
  for (int l = 0; l < kLanes; ++l) {
    sums.q += static_cast<double>(q_sum[l]);
    sums.qq += static_cast<double>(qq_sum[l]);
    sums.xq += static_cast<double>(xq_sum[l]);
  }
  return sums;
}

/// The scale for x ~ scale * q, q in [low, high].
template <int N, class Weights>
float fit_scale(const float* x, Weights weights, int low, int high) {
  const float unit = formats::inverse_extreme(formats::extreme_of(x, N));
  float best_scale = 0.0f;
  double best_gain = 0.0;  // how much of the sum of squares the fit explains: xq^2 / qq
  for (int step = -9; step <= 9; ++step) {
    const float inverse = (static_cast<float>(low) + 0.1f * static_cast<float>(step)) * unit;
    const Sums s = sums_of<N>(x, weights, inverse, 0.0f, static_cast<float>(low), static_cast<float>(high));
    if (s.qq > 0 && s.xq * s.xq > best_gain * s.qq) {
      best_gain = s.xq * s.xq / s.qq;
      best_scale = static_cast<float>(s.xq / s.qq);
    }
  }
  return best_scale;
}

struct Range {
  float scale = 0, minimum = 0;
};

/// Scale and minimum for x ~ scale * q - minimum, q in [0, high]. The scale is never negative, the minimum
/// only with `any_minimum`: the K formats store it without a sign, so that zero is always in reach.
template <int N, class Weights>
Range fit_range(const float* x, Weights weights, int high, bool any_minimum) {
  const auto [lowest, highest] = std::minmax_element(x, x + N);
  const float low = any_minimum ? *lowest : std::min(*lowest, 0.0f);
  const float unit = formats::inverse_extreme(*highest - low);
  Range best{0.0f, -low};
  double x_sum = 0, best_gain = 0, count = 0;
  for (int i = 0; i < N; ++i) {
    count += static_cast<double>(weights[i]);
    x_sum += static_cast<double>(weights[i]) * static_cast<double>(x[i]);
  }
  if (any_minimum && count > 0) {  // without a scale, the mean explains most
    best_gain = x_sum * x_sum / count;
    best.minimum = static_cast<float>(-x_sum / count);
  }
  for (int step = -10; step <= 10; ++step) {
    const float inverse = (static_cast<float>(high) + 0.1f * static_cast<float>(step)) * unit;
    const Sums s = sums_of<N>(x, weights, inverse, -low * inverse, 0.0f, static_cast<float>(high));
    // Least squares for x ~ a q + b: two equations. The sum of squared errors is that of x less a gain.
    // Without a second equation (all quants equal, but for the rounding of these sums), or where b would be
    // above zero and may not, b is 0.
    const double determinant = count * s.qq - s.q * s.q;
    if (s.qq <= 0) continue;
    double a = s.xq / s.qq;
    double b = 0;
    if (determinant > 1e-6 * count * s.qq && (any_minimum || s.qq * x_sum < s.q * s.xq)) {
      a = (count * s.xq - s.q * x_sum) / determinant;
      b = (s.qq * x_sum - s.q * s.xq) / determinant;
    }
    const double gain = 2 * (a * s.xq + b * x_sum) - (a * a * s.qq + 2 * a * b * s.q + count * b * b);
    if (a > 0 && gain > best_gain) {
      best_gain = gain;
      best = {static_cast<float>(a), static_cast<float>(-b)};
    }
  }
  return best;
}

/// The scale for x ~ scale * kIq4NlValues[q] of 32 elements. The table is not symmetric, so the largest
/// element is tried at both of its ends.
template <class Weights>
float fit_iq4_nl(const float* x, Weights weights) {
  constexpr int kElements = BlockIq4Nl::kElements;
  const float unit = formats::inverse_extreme(formats::extreme_of(x, kElements));
  float best_scale = 0.0f, best_gain = 0.0f;
  const auto try_inverse = [&](float inverse) {
    float vv = 0.0f, xv = 0.0f;
    for (int i = 0; i < kElements; ++i) {
      const auto v = static_cast<float>(kIq4NlValues[formats::nearest_iq4_nl(x[i] * inverse)]);
      vv += weights[i] * (v * v);
      xv += weights[i] * (x[i] * v);
    }
    if (xv * xv > best_gain * vv) {
      best_gain = xv * xv / vv;
      best_scale = xv / vv;
    }
  };
  for (int step = -7; step <= 7; ++step) {
    try_inverse((-127.0f + 2.0f * static_cast<float>(step)) * unit);
    try_inverse((113.0f + 2.0f * static_cast<float>(step)) * unit);
  }
  return best_scale;
}

}  // namespace rung::quantization
