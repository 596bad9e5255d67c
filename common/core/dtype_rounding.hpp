#pragma once
// Rounding to the integers of a block format once its scale is known: what the plain encoders of this floor
// share with the searches for better scales in 03_techniques/quantization.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/dtype.hpp"
#include "core/dtype_legacy.hpp"

namespace rung::formats {

/// The nearest whole number of one that is not negative: two instructions that a compiler turns into vector
/// ones.
inline float nearest(float value) {
  const float lifted = value + 0.5f;
  return static_cast<float>(static_cast<int>(lifted));
}

/// How much each element counts: all the same, or as given.
struct Equally {
  float operator[](int) const { return 1.0f; }
  Equally operator+(std::int64_t) const { return {}; }
};
using Weighted = const float*;

inline constexpr int kLanes = 4;  // independent partial sums, which a compiler may keep in one vector

/// Rounds x[N] to scale * q - minimum with q in [low, high]; returns the sum of squared errors, each times
/// its weight.
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

/// The nearest multiple of `unit`, as an integer from low to high.
inline int multiple_of(float unit, float value, int low, int high) {
  return std::clamp(static_cast<int>(std::lround(value * inverse_scale(unit))), low, high);
}

/// The binary16 number next to `value` that is not nearer to zero, so that the largest scale is within the
/// reach of its integer. A small d is subnormal, where rounding to the nearest may lose a tenth of it.
inline std::uint16_t f16_beyond(float value) {
  const std::uint16_t nearest = f32_to_f16(value);
  const bool short_of_it = std::fabs(f16_to_f32(nearest)) < std::fabs(value);
  return static_cast<std::uint16_t>(nearest + (short_of_it ? 1 : 0));
}

/// The element of largest magnitude, with its sign.
inline float extreme_of(const float* x, int n) {
  float extreme = 0.0f;
  for (int i = 0; i < n; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  return extreme;
}

}  // namespace rung::formats
