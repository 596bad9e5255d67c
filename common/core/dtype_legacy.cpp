// The conversions of the formats with one scale for 32 weights. They quantize by GGML's rules
// (quantize_row_*_ref), so the resulting files equal those of GGML's tools byte for byte.

#include "core/dtype_legacy.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/dtype.hpp"
#include "core/dtype_rounding.hpp"

namespace rung::formats {
namespace {

constexpr int kElements = 32;
constexpr int kHalf = kElements / 2;

/// Calls convert(block, 32 floats) for every block.
template <class Block, class Floats, class Blocks, class Convert>
void each_block(Blocks* blocks, Floats* floats, std::int64_t n, const Convert& convert) {
  for (std::int64_t b = 0; b < n / kElements; ++b) convert(blocks[b], floats + b * kElements);
}
template <class Block, class Convert>
void decode(const void* from, float* to, std::int64_t n, const Convert& convert) {
  each_block<Block>(static_cast<const Block*>(from), to, n, convert);
}
template <class Block, class Convert>
void encode(const float* from, void* to, std::int64_t n, const Convert& convert) {
  each_block<Block>(static_cast<Block*>(to), from, n, convert);
}

/// Truncates to an integer from 0 to `largest`.
std::uint8_t quant(float value, int largest) {
  return static_cast<std::uint8_t>(std::min(largest, static_cast<int>(value)));
}

/// The five bits of all elements.
void unpack_five_bits(const std::uint8_t* quants, const std::uint8_t* high, std::uint8_t* to) {
  for (int i = 0; i < kHalf; ++i) {
    const int low_bit = (high[i / 8] >> (i % 8)) & 1;
    const int high_bit = (high[2 + i / 8] >> (i % 8)) & 1;
    to[i] = static_cast<std::uint8_t>((quants[i] & 15) | (low_bit << 4));
    to[i + kHalf] = static_cast<std::uint8_t>((quants[i] >> 4) | (high_bit << 4));
  }
}

/// Computes the scale and the quants of a format without minimum, which has 2^(bits - 1) levels below zero
/// and one less above. The element of largest magnitude becomes the lowest quant, independently of its sign,
/// because the scale has a sign. This uses all levels.
float quantize_signed(const float* x, int bits, std::uint8_t* q) {
  const int offset = 1 << (bits - 1);
  const float scale = extreme_of(x, kElements) / static_cast<float>(-offset);
  const float inverse = inverse_scale(scale);
  const float rounding = static_cast<float>(offset) + 0.5f;
  for (int i = 0; i < kElements; ++i) q[i] = quant(x[i] * inverse + rounding, 2 * offset - 1);
  return scale;
}

/// Computes the scale, the minimum and the quants of a format with both. The smallest element becomes the
/// quant 0, and the largest element becomes the largest quant.
void quantize_range(const float* x, int bits, std::uint8_t* q, std::uint16_t& scale16,
                    std::uint16_t& minimum16) {
  const int largest = (1 << bits) - 1;
  const auto [low, high] = std::minmax_element(x, x + kElements);
  const float minimum = *low;
  const float scale = (*high - minimum) / static_cast<float>(largest);
  const float inverse = inverse_scale(scale);
  for (int i = 0; i < kElements; ++i) q[i] = quant((x[i] - minimum) * inverse + 0.5f, largest);
  scale16 = f32_to_f16(scale);
  minimum16 = f32_to_f16(minimum);
}

}  // namespace

void pack_nibbles(const std::uint8_t* q, std::uint8_t* to) {
  for (int i = 0; i < kHalf; ++i) to[i] = static_cast<std::uint8_t>((q[i] & 15) | ((q[i + kHalf] & 15) << 4));
}

void pack_fifth_bits(const std::uint8_t* q, std::uint8_t* to) {
  std::memset(to, 0, 4);
  for (int i = 0; i < kElements; ++i)
    to[i / 8] = static_cast<std::uint8_t>(to[i / 8] | ((q[i] >> 4) << (i % 8)));
}

float inverse_scale(float scale) {
  return std::fabs(scale) >= std::numeric_limits<float>::min() ? 1.0f / scale : 0.0f;
}

void q8_0_to_float(const void* from, float* to, std::int64_t n) {
  decode<BlockQ8_0>(from, to, n, [](const BlockQ8_0& block, float* out) {
    const float scale = f16_to_f32(block.scale);
    for (int i = 0; i < kElements; ++i) out[i] = scale * static_cast<float>(block.quants[i]);
  });
}

// The largest magnitude becomes +-127; the scale is rounded to half only for storage, as GGML does.
void q8_0_from_float(const float* from, void* to, std::int64_t n) {
  encode<BlockQ8_0>(from, to, n, [](BlockQ8_0& block, const float* x) {
    const float scale = std::fabs(extreme_of(x, kElements)) / 127.0f;
    const float inverse = inverse_scale(scale);
    block.scale = f32_to_f16(scale);
    for (int i = 0; i < kElements; ++i)
      block.quants[i] = static_cast<std::int8_t>(std::round(x[i] * inverse));
  });
}

void q4_0_to_float(const void* from, float* to, std::int64_t n) {
  decode<BlockQ4_0>(from, to, n, [](const BlockQ4_0& block, float* out) {
    const float scale = f16_to_f32(block.scale);
    for (int i = 0; i < kHalf; ++i) {
      out[i] = scale * static_cast<float>((block.quants[i] & 15) - 8);
      out[i + kHalf] = scale * static_cast<float>((block.quants[i] >> 4) - 8);
    }
  });
}

void q4_0_from_float(const float* from, void* to, std::int64_t n) {
  encode<BlockQ4_0>(from, to, n, [](BlockQ4_0& block, const float* x) {
    std::uint8_t q[kElements];
    block.scale = f32_to_f16(quantize_signed(x, 4, q));
    pack_nibbles(q, block.quants);
  });
}

void q4_1_to_float(const void* from, float* to, std::int64_t n) {
  decode<BlockQ4_1>(from, to, n, [](const BlockQ4_1& block, float* out) {
    const float scale = f16_to_f32(block.scale);
    const float minimum = f16_to_f32(block.minimum);
    for (int i = 0; i < kHalf; ++i) {
      out[i] = scale * static_cast<float>(block.quants[i] & 15) + minimum;
      out[i + kHalf] = scale * static_cast<float>(block.quants[i] >> 4) + minimum;
    }
  });
}

void q4_1_from_float(const float* from, void* to, std::int64_t n) {
  encode<BlockQ4_1>(from, to, n, [](BlockQ4_1& block, const float* x) {
    std::uint8_t q[kElements];
    quantize_range(x, 4, q, block.scale, block.minimum);
    pack_nibbles(q, block.quants);
  });
}

void q5_0_to_float(const void* from, float* to, std::int64_t n) {
  decode<BlockQ5_0>(from, to, n, [](const BlockQ5_0& block, float* out) {
    const float scale = f16_to_f32(block.scale);
    std::uint8_t q[kElements];
    unpack_five_bits(block.quants, block.high, q);
    for (int i = 0; i < kElements; ++i) out[i] = scale * static_cast<float>(q[i] - 16);
  });
}

void q5_0_from_float(const float* from, void* to, std::int64_t n) {
  encode<BlockQ5_0>(from, to, n, [](BlockQ5_0& block, const float* x) {
    std::uint8_t q[kElements];
    block.scale = f32_to_f16(quantize_signed(x, 5, q));
    pack_nibbles(q, block.quants);
    pack_fifth_bits(q, block.high);
  });
}

void q5_1_to_float(const void* from, float* to, std::int64_t n) {
  decode<BlockQ5_1>(from, to, n, [](const BlockQ5_1& block, float* out) {
    const float scale = f16_to_f32(block.scale);
    const float minimum = f16_to_f32(block.minimum);
    std::uint8_t q[kElements];
    unpack_five_bits(block.quants, block.high, q);
    for (int i = 0; i < kElements; ++i) out[i] = scale * static_cast<float>(q[i]) + minimum;
  });
}

void q5_1_from_float(const float* from, void* to, std::int64_t n) {
  encode<BlockQ5_1>(from, to, n, [](BlockQ5_1& block, const float* x) {
    std::uint8_t q[kElements];
    quantize_range(x, 5, q, block.scale, block.minimum);
    pack_nibbles(q, block.quants);
    pack_fifth_bits(q, block.high);
  });
}

}  // namespace rung::formats
