// How the K formats are quantised: which scales, minima and quants make the sum of squared errors small.
//
// A sub-block first looks for its own scale (and minimum) as real numbers. Rounding to the nearest quant
// makes that a search, not a formula: some twenty scales around "the largest element gets the last quant"
// are tried, each time the elements are rounded and the scale (and minimum) that fit these quants best are
// solved for by least squares. That is the kind of search that GGML does (make_qkx2_quants, make_qx_quants);
// it weighs large elements more, here every element counts the same, which is the expected error of a product
// with inputs of equal variance. Where the inputs' mean squares are known (an importance matrix), each
// element counts by the one that it will meet: sum w (x - x')^2 is then the expected squared error of the
// product, if inputs are uncorrelated.
//
// Then the block's d (and d_min) is fixed, each scale becomes an integer multiple of it, and the integers
// beside the nearest one are tried too, with the rounded d that the file will hold.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/dtype.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/error.hpp"

namespace rung::formats {
namespace {

constexpr int kLanes = 4;  // independent partial sums, which a compiler may keep in one vector

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

/// What a least-squares fit needs to know about the quants q of N elements x; every term counts by its
/// weight.
struct Sums {
  double q = 0, qq = 0, xq = 0;
};

/// q = x * inverse + offset, rounded and limited to [low, high].
template <int N, class Weights>
Sums sums_of(const float* x, Weights weights, float inverse, float offset, float low, float high) {
  float q_sum[kLanes] = {}, qq_sum[kLanes] = {}, xq_sum[kLanes] = {};
  for (int i = 0; i < N; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const float wanted = std::min(std::max(x[i + l] * inverse + offset, low), high);
      const float q = nearest(wanted - low) + low;
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

/// Rounds x to scale * q - minimum with q in [low, high]; returns the sum of squared errors.
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

/// The scale for x ~ scale * q, q in [low, -low - 1].
template <int N, class Weights>
float fit_scale(const float* x, Weights weights, int low) {
  float extreme = 0.0f;
  for (int i = 0; i < N; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  const float unit = inverse_extreme(extreme);
  float best_scale = 0.0f;
  double best_gain = 0.0;  // how much of the sum of squares the fit explains: xq^2 / qq
  for (int step = -9; step <= 9; ++step) {
    const float inverse = (static_cast<float>(low) + 0.1f * static_cast<float>(step)) * unit;
    const Sums s =
        sums_of<N>(x, weights, inverse, 0.0f, static_cast<float>(low), static_cast<float>(-low - 1));
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

/// Scale and minimum, neither negative, for x ~ scale * q - minimum, q in [0, high].
template <int N, class Weights>
Range fit_range(const float* x, Weights weights, int high) {
  const auto [lowest, highest] = std::minmax_element(x, x + N);
  const float low = std::min(*lowest, 0.0f);  // zero must stay in reach: a minimum is never negative
  const float unit = inverse_extreme(*highest - low);
  Range best{0.0f, -low};
  double x_sum = 0, best_gain = 0, count = 0;
  for (int i = 0; i < N; ++i) {
    count += static_cast<double>(weights[i]);
    x_sum += static_cast<double>(weights[i]) * static_cast<double>(x[i]);
  }
  for (int step = -10; step <= 10; ++step) {
    const float inverse = (static_cast<float>(high) + 0.1f * static_cast<float>(step)) * unit;
    const Sums s = sums_of<N>(x, weights, inverse, -low * inverse, 0.0f, static_cast<float>(high));
    // Least squares for x ~ a q + b: two equations. The sum of squared errors is that of x less a gain.
    // Without a second equation (all quants equal), or where b would be above zero, b is 0.
    const double determinant = count * s.qq - s.q * s.q;
    if (s.qq <= 0) continue;
    double a = s.xq / s.qq;
    double b = 0;
    if (determinant > 0 && s.qq * x_sum < s.q * s.xq) {
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

/// The nearest multiple of `unit`, as an integer from low to high.
int multiple_of(float unit, float value, int low, int high) {
  return std::clamp(static_cast<int>(std::lround(value * inverse_scale(unit))), low, high);
}

/// The binary16 number next to `value` that is not nearer to zero, so that the largest scale is within the
/// reach of its integer. A small d is subnormal, where rounding to the nearest may lose a tenth of it.
std::uint16_t f16_beyond(float value) {
  const std::uint16_t nearest = f32_to_f16(value);
  const bool short_of_it = std::fabs(f16_to_f32(nearest)) < std::fabs(value);
  return static_cast<std::uint16_t>(nearest + (short_of_it ? 1 : 0));
}

/// Blocks of signed quants: kSub sub-blocks of N elements with scales from low_scale to -low_scale - 1.
template <int N, class Weights>
void quantise_signed(const float* x, Weights weights, int low, int low_scale, KIntegers& k) {
  constexpr int kSub = kKElements / N;
  std::array<float, kSub> scales;
  float extreme = 0.0f;
  for (int j = 0; j < kSub; ++j) {
    scales[j] = fit_scale<N>(x + j * N, weights + j * N, low);
    if (std::fabs(scales[j]) > std::fabs(extreme)) extreme = scales[j];
  }
  k = {};
  k.d = f16_beyond(extreme / static_cast<float>(low_scale));
  const float d = f16_to_f32(k.d);
  for (int j = 0; j < kSub; ++j) {
    const int nearest = multiple_of(d, scales[j], low_scale, -low_scale - 1);
    float best = std::numeric_limits<float>::infinity();
    for (int scale = std::max(nearest - 1, low_scale); scale <= std::min(nearest + 1, -low_scale - 1);
         ++scale) {
      std::int8_t quants[N];
      const float error =
          round_to<N>(x + j * N, weights + j * N, d * static_cast<float>(scale), 0.0f, low, -low - 1, quants);
      if (error < best) {
        best = error;
        k.scales[j] = static_cast<std::int8_t>(scale);
        std::copy_n(quants, N, k.quants + j * N);
      }
    }
  }
}

/// Blocks of quants from 0 to high: scales and minima from 0 to high_scale.
template <int N, class Weights>
void quantise_range(const float* x, Weights weights, int high, int high_scale, KIntegers& k) {
  constexpr int kSub = kKElements / N;
  std::array<Range, kSub> ranges;
  Range largest;
  for (int j = 0; j < kSub; ++j) {
    ranges[j] = fit_range<N>(x + j * N, weights + j * N, high);
    largest.scale = std::max(largest.scale, ranges[j].scale);
    largest.minimum = std::max(largest.minimum, ranges[j].minimum);
  }
  k = {};
  k.d = f16_beyond(largest.scale / static_cast<float>(high_scale));
  k.d_min = f16_beyond(largest.minimum / static_cast<float>(high_scale));
  const float d = f16_to_f32(k.d);
  const float d_min = f16_to_f32(k.d_min);
  for (int j = 0; j < kSub; ++j) {
    const int near_scale = multiple_of(d, ranges[j].scale, 0, high_scale);
    const int near_minimum = multiple_of(d_min, ranges[j].minimum, 0, high_scale);
    float best = std::numeric_limits<float>::infinity();
    for (int scale = std::max(near_scale - 1, 0); scale <= std::min(near_scale + 1, high_scale); ++scale) {
      for (int minimum = std::max(near_minimum - 1, 0); minimum <= std::min(near_minimum + 1, high_scale);
           ++minimum) {
        std::int8_t quants[N];
        const float error = round_to<N>(x + j * N, weights + j * N, d * static_cast<float>(scale),
                                        d_min * static_cast<float>(minimum), 0, high, quants);
        if (error < best) {
          best = error;
          k.scales[j] = static_cast<std::int8_t>(scale);
          k.minima[j] = static_cast<std::uint8_t>(minimum);
          std::copy_n(quants, N, k.quants + j * N);
        }
      }
    }
  }
}

template <class Block, class Weights, class Quantise>
void encode(const float* from, Weights weights, void* to, std::int64_t n, const Quantise& quantise) {
  auto* blocks = static_cast<Block*>(to);
  for (std::int64_t b = 0; b < n / kKElements; ++b) {
    KIntegers k;
    quantise(from + b * kKElements, weights + b * kKElements, k);
    pack(k, blocks[b]);
  }
}

// One line per format: elements of a sub-block, range of quants, range of scales.
template <class Weights>
void to_q2_k(const float* from, Weights weights, void* to, std::int64_t n) {
  encode<BlockQ2K>(from, weights, to, n,
                   [](const float* x, Weights w, KIntegers& k) { quantise_range<16>(x, w, 3, 15, k); });
}
template <class Weights>
void to_q3_k(const float* from, Weights weights, void* to, std::int64_t n) {
  encode<BlockQ3K>(from, weights, to, n,
                   [](const float* x, Weights w, KIntegers& k) { quantise_signed<16>(x, w, -4, -32, k); });
}
template <class Weights>
void to_q4_k(const float* from, Weights weights, void* to, std::int64_t n) {
  encode<BlockQ4K>(from, weights, to, n,
                   [](const float* x, Weights w, KIntegers& k) { quantise_range<32>(x, w, 15, 63, k); });
}
template <class Weights>
void to_q5_k(const float* from, Weights weights, void* to, std::int64_t n) {
  encode<BlockQ5K>(from, weights, to, n,
                   [](const float* x, Weights w, KIntegers& k) { quantise_range<32>(x, w, 31, 63, k); });
}
template <class Weights>
void to_q6_k(const float* from, Weights weights, void* to, std::int64_t n) {
  encode<BlockQ6K>(from, weights, to, n,
                   [](const float* x, Weights w, KIntegers& k) { quantise_signed<16>(x, w, -32, -128, k); });
}

}  // namespace

void q2_k_from_float(const float* from, void* to, std::int64_t n) { to_q2_k(from, Equally(), to, n); }
void q3_k_from_float(const float* from, void* to, std::int64_t n) { to_q3_k(from, Equally(), to, n); }
void q4_k_from_float(const float* from, void* to, std::int64_t n) { to_q4_k(from, Equally(), to, n); }
void q5_k_from_float(const float* from, void* to, std::int64_t n) { to_q5_k(from, Equally(), to, n); }
void q6_k_from_float(const float* from, void* to, std::int64_t n) { to_q6_k(from, Equally(), to, n); }

void k_from_float_weighted(DType type, const float* from, const float* weights, void* to, std::int64_t n) {
  switch (type) {
    case DType::q2_k:
      return to_q2_k(from, Weighted(weights), to, n);
    case DType::q3_k:
      return to_q3_k(from, Weighted(weights), to, n);
    case DType::q4_k:
      return to_q4_k(from, Weighted(weights), to, n);
    case DType::q5_k:
      return to_q5_k(from, Weighted(weights), to, n);
    case DType::q6_k:
      return to_q6_k(from, Weighted(weights), to, n);
    default:
      fail("{} is no K format", traits(type).name);
  }
}

}  // namespace rung::formats
