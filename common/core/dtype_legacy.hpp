#pragma once
// GGML's first family of formats. A block has 32 weights with one scale, and in two formats also a minimum
// (github.com/ggml-org/ggml, ggml-common.h and ggml-quants.c).
//
// A name contains the number of bits and the kind. In kind _0, weight = scale * quant with signed quants. In
// kind _1, weight = scale * quant + minimum with quants of at least 0. 4-bit quants are stored in pairs: byte
// i holds element i in its low half and element i + 16 in its high half. The fifth bits are stored
// separately, in 32 bits.

#include <cstdint>

namespace rung {

/// weight = scale * quant.
struct BlockQ8_0 {
  static constexpr int kElements = 32;
  std::uint16_t scale;  // binary16
  std::int8_t quants[kElements];
};
static_assert(sizeof(BlockQ8_0) == 34);

/// weight = scale * (nibble - 8).
struct BlockQ4_0 {
  static constexpr int kElements = 32;
  std::uint16_t scale;  // binary16
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockQ4_0) == 18);

/// weight = scale * nibble + minimum.
struct BlockQ4_1 {
  static constexpr int kElements = 32;
  std::uint16_t scale;    // binary16
  std::uint16_t minimum;  // binary16
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockQ4_1) == 20);

/// weight = scale * (nibble + 16 * fifth bit - 16). Bit i of `high`, little-endian, belongs to element i.
struct BlockQ5_0 {
  static constexpr int kElements = 32;
  std::uint16_t scale;   // binary16
  std::uint8_t high[4];  // bytes, because 32 bits would not be aligned here
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockQ5_0) == 22);

/// weight = scale * (nibble + 16 * fifth bit) + minimum.
struct BlockQ5_1 {
  static constexpr int kElements = 32;
  std::uint16_t scale;    // binary16
  std::uint16_t minimum;  // binary16
  std::uint8_t high[4];
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockQ5_1) == 24);

namespace formats {

/// Returns 1 / scale, or 0 for a scale so small that its inverse is infinite, because binary16 stores such a
/// scale as 0.
float inverse_scale(float scale);

/// Returns 1 / extreme, which a search multiplies by other factors, or 0 for a block so small that all its
/// scales are stored as 0.
inline float inverse_extreme(float extreme) {
  return extreme > 1e-30f || extreme < -1e-30f ? 1.0f / extreme : 0.0f;
}

/// Packs the low four bits of 32 quants, which have one byte each, in pairs into 16 bytes.
void pack_nibbles(const std::uint8_t* quants, std::uint8_t* to);
/// Packs the fifth bits of 32 quants into 4 bytes.
void pack_fifth_bits(const std::uint8_t* quants, std::uint8_t* to);

void q8_0_to_float(const void* from, float* to, std::int64_t n);
void q8_0_from_float(const float* from, void* to, std::int64_t n);
void q4_0_to_float(const void* from, float* to, std::int64_t n);
void q4_0_from_float(const float* from, void* to, std::int64_t n);
void q4_1_to_float(const void* from, float* to, std::int64_t n);
void q4_1_from_float(const float* from, void* to, std::int64_t n);
void q5_0_to_float(const void* from, float* to, std::int64_t n);
void q5_0_from_float(const float* from, void* to, std::int64_t n);
void q5_1_to_float(const void* from, float* to, std::int64_t n);
void q5_1_from_float(const float* from, void* to, std::int64_t n);

}  // namespace formats
}  // namespace rung
