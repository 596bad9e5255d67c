#pragma once
// From the scales that a fit finds to the bytes of a block: what search, weighted and exact share.
//
// A `Fit` answers for N elements x with their weights:
//   fit.scale<N>(x, weights, low, high)             the scale of x ~ scale * q
//   fit.range<N>(x, weights, high, any_minimum)     scale and minimum of x ~ scale * q - minimum
//   fit.iq4_nl(x, weights)                          the scale of x ~ scale * table[q]
// What follows is rounding: the scale to what the file can hold, then the elements, with that scale.

#include <algorithm>
#include <array>
#include <limits>

#include "core/dtype_codebook.hpp"
#include "core/dtype_k.hpp"
#include "core/dtype_legacy.hpp"
#include "core/dtype_rounding.hpp"
#include "fit.hpp"

namespace rung::quantization {

constexpr int kBlock = 32;

/// Calls write(block, x, weights) for every block of a row.
template <class Block, class Weights, class Write>
void each_block(const float* x, Weights weights, void* to, std::int64_t n, const Write& write) {
  auto* blocks = static_cast<Block*>(to);
  for (std::int64_t b = 0; b < n / Block::kElements; ++b)
    write(blocks[b], x + b * Block::kElements, weights + b * Block::kElements);
}

/// Rounds to scale16 * q - minimum16 and makes the quants start at 0.
template <class Weights>
void round_block(const float* x, Weights weights, std::uint16_t scale16, float minimum, int low, int high,
                 std::array<std::uint8_t, kBlock>& quants) {
  std::array<std::int8_t, kBlock> q;
  formats::round_to<kBlock>(x, weights, f16_to_f32(scale16), minimum, low, high, q.data());
  for (std::size_t i = 0; i < kBlock; ++i) quants[i] = static_cast<std::uint8_t>(q[i] - low);
}

/// Q8_0: quants from -127, so that kernels may negate them. Both sides have as many, so the scale needs no
/// sign.
template <class Fit, class Weights>
void encode_q8_0(const Fit& fit, const float* from, Weights weights, void* to, std::int64_t n) {
  each_block<BlockQ8_0>(from, weights, to, n, [&](BlockQ8_0& block, const float* x, Weights w) {
    block.scale = f32_to_f16(std::fabs(fit.template scale<kBlock>(x, w, -127, 127)));
    formats::round_to<kBlock>(x, w, f16_to_f32(block.scale), 0.0f, -127, 127, block.quants);
  });
}

/// Q4_0 and Q5_0: quants from low to -low - 1.
template <class Block, class Fit, class Weights>
void encode_signed(const Fit& fit, int low, const float* from, Weights weights, void* to, std::int64_t n) {
  each_block<Block>(from, weights, to, n, [&](Block& block, const float* x, Weights w) {
    block.scale = f32_to_f16(fit.template scale<kBlock>(x, w, low, -low - 1));
    std::array<std::uint8_t, kBlock> quants;
    round_block(x, w, block.scale, 0.0f, low, -low - 1, quants);
    formats::pack_nibbles(quants.data(), block.quants);
    if constexpr (requires { block.high; }) formats::pack_fifth_bits(quants.data(), block.high);
  });
}

/// Q4_1 and Q5_1: quants from 0 to high. A least-squares minimum may lie beyond what binary16 holds.
template <class Block, class Fit, class Weights>
void encode_range(const Fit& fit, int high, const float* from, Weights weights, void* to, std::int64_t n) {
  each_block<Block>(from, weights, to, n, [&](Block& block, const float* x, Weights w) {
    const Range range = fit.template range<kBlock>(x, w, high, /*any_minimum=*/true);
    block.scale = f32_to_f16(range.scale);
    block.minimum = f32_to_f16(std::clamp(-range.minimum, -65504.0f, 65504.0f));
    std::array<std::uint8_t, kBlock> quants;
    round_block(x, w, block.scale, -f16_to_f32(block.minimum), 0, high, quants);
    formats::pack_nibbles(quants.data(), block.quants);
    if constexpr (requires { block.high; }) formats::pack_fifth_bits(quants.data(), block.high);
  });
}

template <class Fit, class Weights>
void encode_iq4_nl(const Fit& fit, const float* from, Weights weights, void* to, std::int64_t n) {
  each_block<BlockIq4Nl>(from, weights, to, n, [&](BlockIq4Nl& block, const float* x, Weights w) {
    block.scale = f32_to_f16(fit.iq4_nl(x, w));
    const float inverse = formats::inverse_scale(f16_to_f32(block.scale));
    std::array<std::uint8_t, kBlock> quants;
    for (std::size_t i = 0; i < kBlock; ++i) quants[i] = formats::nearest_iq4_nl(x[i] * inverse);
    formats::pack_nibbles(quants.data(), block.quants);
  });
}

/// K blocks of signed quants: sub-blocks of N elements with scales from low_scale to -low_scale - 1. The
/// block's d is fixed by the largest scale; the integers beside the nearest one are tried too.
template <class Block, int N, class Fit, class Weights>
void encode_k_signed(const Fit& fit, int low, int low_scale, const float* from, Weights weights, void* to,
                     std::int64_t n) {
  constexpr int kSub = kKElements / N;
  each_block<Block>(from, weights, to, n, [&](Block& block, const float* x, Weights w) {
    std::array<float, kSub> scales;
    for (int j = 0; j < kSub; ++j) scales[j] = fit.template scale<N>(x + j * N, w + j * N, low, -low - 1);
    KIntegers k = {};
    k.d = formats::f16_beyond(formats::extreme_of(scales.data(), kSub) / static_cast<float>(low_scale));
    const float d = f16_to_f32(k.d);
    for (int j = 0; j < kSub; ++j) {
      const int nearest = formats::multiple_of(d, scales[j], low_scale, -low_scale - 1);
      float best = std::numeric_limits<float>::infinity();
      for (int scale = std::max(nearest - 1, low_scale); scale <= std::min(nearest + 1, -low_scale - 1);
           ++scale) {
        std::int8_t quants[N];
        const float error = formats::round_to<N>(x + j * N, w + j * N, d * static_cast<float>(scale), 0.0f,
                                                 low, -low - 1, quants);
        if (error < best) {
          best = error;
          k.scales[j] = static_cast<std::int8_t>(scale);
          std::copy_n(quants, N, k.quants + j * N);
        }
      }
    }
    formats::pack(k, block);
  });
}

/// K blocks of quants from 0 to high: scales and minima from 0 to high_scale.
template <class Block, int N, class Fit, class Weights>
void encode_k_range(const Fit& fit, int high, int high_scale, const float* from, Weights weights, void* to,
                    std::int64_t n) {
  constexpr int kSub = kKElements / N;
  each_block<Block>(from, weights, to, n, [&](Block& block, const float* x, Weights w) {
    std::array<Range, kSub> ranges;
    Range largest;
    for (int j = 0; j < kSub; ++j) {
      ranges[j] = fit.template range<N>(x + j * N, w + j * N, high, /*any_minimum=*/false);
      largest.scale = std::max(largest.scale, ranges[j].scale);
      largest.minimum = std::max(largest.minimum, ranges[j].minimum);
    }
    KIntegers k = {};
    k.d = formats::f16_beyond(largest.scale / static_cast<float>(high_scale));
    k.d_min = formats::f16_beyond(largest.minimum / static_cast<float>(high_scale));
    const float d = f16_to_f32(k.d), d_min = f16_to_f32(k.d_min);
    for (int j = 0; j < kSub; ++j) {
      const int near_scale = formats::multiple_of(d, ranges[j].scale, 0, high_scale);
      const int near_minimum = formats::multiple_of(d_min, ranges[j].minimum, 0, high_scale);
      float best = std::numeric_limits<float>::infinity();
      for (int scale = std::max(near_scale - 1, 0); scale <= std::min(near_scale + 1, high_scale); ++scale) {
        for (int minimum = std::max(near_minimum - 1, 0); minimum <= std::min(near_minimum + 1, high_scale);
             ++minimum) {
          std::int8_t quants[N];
          const float error = formats::round_to<N>(x + j * N, w + j * N, d * static_cast<float>(scale),
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
    formats::pack(k, block);
  });
}

/// Formats that a fit with one scale per (sub-)block can fill; false for others.
template <class Fit, class Weights>
bool encode_scaled(const Fit& fit, DType type, const float* x, Weights w, void* to, std::int64_t n) {
  switch (type) {
    case DType::q4_0:
      encode_signed<BlockQ4_0>(fit, -8, x, w, to, n);
      return true;
    case DType::q5_0:
      encode_signed<BlockQ5_0>(fit, -16, x, w, to, n);
      return true;
    case DType::iq4_nl:
      encode_iq4_nl(fit, x, w, to, n);
      return true;
    case DType::q3_k:
      encode_k_signed<BlockQ3K, 16>(fit, -4, -32, x, w, to, n);
      return true;
    case DType::q6_k:
      encode_k_signed<BlockQ6K, 16>(fit, -32, -128, x, w, to, n);
      return true;
    default:
      return false;
  }
}

/// Formats with a scale and a minimum; false for others.
template <class Fit, class Weights>
bool encode_ranged(const Fit& fit, DType type, const float* x, Weights w, void* to, std::int64_t n) {
  switch (type) {
    case DType::q4_1:
      encode_range<BlockQ4_1>(fit, 15, x, w, to, n);
      return true;
    case DType::q5_1:
      encode_range<BlockQ5_1>(fit, 31, x, w, to, n);
      return true;
    case DType::q2_k:
      encode_k_range<BlockQ2K, 16>(fit, 3, 15, x, w, to, n);
      return true;
    case DType::q4_k:
      encode_k_range<BlockQ4K, 32>(fit, 15, 63, x, w, to, n);
      return true;
    case DType::q5_k:
      encode_k_range<BlockQ5K, 32>(fit, 31, 63, x, w, to, n);
      return true;
    default:
      return false;
  }
}

}  // namespace rung::quantization
