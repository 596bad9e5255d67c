// Converts a row to K blocks by a fixed rule. The scale of a sub-block follows from its smallest and largest
// elements. The d and d_min of a block follow from its largest scale and minimum. All numbers are rounded to
// the nearest. This rule defines from_float; 03_techniques/quantization searches for scales with a smaller
// error.

#include <algorithm>
#include <array>

#include "core/dtype.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_rounding.hpp"

namespace rung::formats {
namespace {

/// Encodes blocks of signed quants from low to -low - 1. The element of largest magnitude becomes the lowest
/// quant, independently of its sign, because the scale has a sign. Scales are from low_scale to -low_scale
/// - 1.
template <class Block, int N>
void encode_signed(const float* from, void* to, std::int64_t n, int low, int low_scale) {
  constexpr int kSub = kKElements / N;
  auto* blocks = static_cast<Block*>(to);
  for (std::int64_t b = 0; b < n / kKElements; ++b) {
    const float* x = from + b * kKElements;
    std::array<float, kSub> scales;
    for (int j = 0; j < kSub; ++j) scales[j] = extreme_of(x + j * N, N) / static_cast<float>(low);
    KIntegers k = {};
    k.d = f16_beyond(extreme_of(scales.data(), kSub) / static_cast<float>(low_scale));
    const float d = f16_to_f32(k.d);
    for (int j = 0; j < kSub; ++j) {
      const int scale = multiple_of(d, scales[j], low_scale, -low_scale - 1);
      k.scales[j] = static_cast<std::int8_t>(scale);
      round_to<N>(x + j * N, Equally(), d * static_cast<float>(scale), 0.0f, low, -low - 1, k.quants + j * N);
    }
    pack(k, blocks[b]);
  }
}

/// Encodes blocks of quants from 0 to high. The smallest element becomes 0 and the largest becomes high. The
/// weight 0 is always in the range, because a minimum is never negative. Scales and minima are from 0 to
/// high_scale.
template <class Block, int N>
void encode_range(const float* from, void* to, std::int64_t n, int high, int high_scale) {
  constexpr int kSub = kKElements / N;
  auto* blocks = static_cast<Block*>(to);
  for (std::int64_t b = 0; b < n / kKElements; ++b) {
    const float* x = from + b * kKElements;
    std::array<float, kSub> scales, minima;
    for (int j = 0; j < kSub; ++j) {
      const auto [lowest, highest] = std::minmax_element(x + j * N, x + (j + 1) * N);
      minima[j] = -std::min(*lowest, 0.0f);
      scales[j] = (*highest + minima[j]) / static_cast<float>(high);
    }
    KIntegers k = {};
    k.d = f16_beyond(*std::max_element(scales.begin(), scales.end()) / static_cast<float>(high_scale));
    k.d_min = f16_beyond(*std::max_element(minima.begin(), minima.end()) / static_cast<float>(high_scale));
    const float d = f16_to_f32(k.d), d_min = f16_to_f32(k.d_min);
    for (int j = 0; j < kSub; ++j) {
      const int scale = multiple_of(d, scales[j], 0, high_scale);
      const int minimum = multiple_of(d_min, minima[j], 0, high_scale);
      k.scales[j] = static_cast<std::int8_t>(scale);
      k.minima[j] = static_cast<std::uint8_t>(minimum);
      round_to<N>(x + j * N, Equally(), d * static_cast<float>(scale), d_min * static_cast<float>(minimum), 0,
                  high, k.quants + j * N);
    }
    pack(k, blocks[b]);
  }
}

}  // namespace

// One line per format: elements of a sub-block, range of quants, range of scales.
void q2_k_from_float(const float* from, void* to, std::int64_t n) {
  encode_range<BlockQ2K, 16>(from, to, n, 3, 15);
}
void q3_k_from_float(const float* from, void* to, std::int64_t n) {
  encode_signed<BlockQ3K, 16>(from, to, n, -4, -32);
}
void q4_k_from_float(const float* from, void* to, std::int64_t n) {
  encode_range<BlockQ4K, 32>(from, to, n, 15, 63);
}
void q5_k_from_float(const float* from, void* to, std::int64_t n) {
  encode_range<BlockQ5K, 32>(from, to, n, 31, 63);
}
void q6_k_from_float(const float* from, void* to, std::int64_t n) {
  encode_signed<BlockQ6K, 16>(from, to, n, -32, -128);
}

}  // namespace rung::formats
