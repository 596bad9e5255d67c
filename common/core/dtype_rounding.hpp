#pragma once
// Rounds to the integers of a block format whose scale is known. The plain encoders in this folder and the
// searches for better scales in 03_techniques/quantization use these functions.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/dtype.hpp"
#include "core/dtype_legacy.hpp"

namespace rung::formats {

/// Returns the integer nearest to `value`, which must not be negative. It needs two instructions, which a
/// compiler can vectorize.
inline float nearest(float value) {
  const float lifted = value + 0.5f;
  return static_cast<float>(static_cast<int>(lifted));
}

/// The weights of the elements' errors: `Equally` weighs all elements the same, and `Weighted` uses an array.
struct Equally {
  float operator[](int) const { return 1.0f; }
  Equally operator+(std::int64_t) const { return {}; }
};
using Weighted = const float*;

inline constexpr int kLanes = 4;  // independent partial sums, which a compiler may keep in one vector

/// Rounds x[N] to scale * q - minimum with q in [low, high]. Returns the sum of the squared errors, each
/// multiplied by its weight.
template <int N, class Weights>
float round_to(const float* x, Weights weights, float scale, float minimum, int low, int high,
               std::int8_t* quants) {
  const float inverse = inverse_scale(scale);
  const auto lowest = static_cast<float>(low), highest = static_cast<float>(high);
  float errors[kLanes] = {};
  for (int i = 0; i < N; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const float wanted = std::min(std::max((x[i + l] + minimum) * inverse, lowest), highest);
      const float q = nearest(wanted - lowest) + lowest;
      const float error = scale * q - minimum - x[i + l];
      errors[l] += weights[i + l] * error * error;
      quants[i + l] = static_cast<std::int8_t>(q);
    }
  }
  return (errors[0] + errors[1]) + (errors[2] + errors[3]);
}

/// Returns the integer from low to high whose product with `unit` is nearest to `value`.
inline int multiple_of(float unit, float value, int low, int high) {
  return std::clamp(static_cast<int>(std::lround(value * inverse_scale(unit))), low, high);
}

/// Returns the binary16 number nearest to `value` that is at least as far from zero. With it as d, the
/// largest scale of a block does not exceed the range of its integer. A small d is subnormal, and rounding it
/// to the nearest number could change it by a tenth.
inline std::uint16_t f16_beyond(float value) {
  const std::uint16_t nearest = f32_to_f16(value);
  const bool short_of_it = std::fabs(f16_to_f32(nearest)) < std::fabs(value);
  return static_cast<std::uint16_t>(nearest + (short_of_it ? 1 : 0));
}

/// Returns the element with the largest magnitude, including its sign.
inline float extreme_of(const float* x, int n) {
  float extreme = 0.0f;
  for (int i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  return extreme;
}

}  // namespace rung::formats
