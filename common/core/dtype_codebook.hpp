#pragma once
// Formats with blocks of 32 weights, whose 4-bit quants are indices into a table of 16 values.
//
// The values of IQ4_NL are closer together near zero, where most weights are (llama.cpp pull request 5590).
// The values of MXFP4 are those of a 4-bit float (E2M1), and its scale is a power of two, stored in 8 bits
// (OCP Microscaling Formats, version 1.0, 2023). Pairs of quants are stored as in Q4_0 (dtype_legacy.hpp).

#include <array>
#include <bit>
#include <cstdint>

namespace rung {

/// weight = scale * kIq4NlValues[nibble].
struct BlockIq4Nl {
  static constexpr int kElements = 32;
  std::uint16_t scale;  // binary16
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockIq4Nl) == 18);

/// weight = 2^(exponent - 128) * kMxfp4Values[nibble]. The offset is 128 and not 127, because the table has
/// the values of E2M1 times 2.
struct BlockMxfp4 {
  static constexpr int kElements = 32;
  std::uint8_t exponent;
  std::uint8_t quants[kElements / 2];
};
static_assert(sizeof(BlockMxfp4) == 17);

inline constexpr std::array<std::int8_t, 16> kIq4NlValues = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                             1,    13,   25,  38,  53,  69,  89,  113};
inline constexpr std::array<std::int8_t, 16> kMxfp4Values = {0, 1,  2,  3,  4,  6,  8,  12,
                                                             0, -1, -2, -3, -4, -6, -8, -12};

namespace formats {

/// Returns the scale of a block of MXFP4, 2^(exponent - 128). It is subnormal for exponents 0 and 1.
inline float mxfp4_scale(std::uint8_t exponent) {
  if (exponent < 2) return std::bit_cast<float>(0x00200000u << exponent);
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent - 1) << 23);
}

/// Returns the index in kIq4NlValues of the value nearest to `value`.
std::uint8_t nearest_iq4_nl(float value);

void iq4_nl_to_float(const void* from, float* to, std::int64_t n);
void iq4_nl_from_float(const float* from, void* to, std::int64_t n);
void mxfp4_to_float(const void* from, float* to, std::int64_t n);
void mxfp4_from_float(const float* from, void* to, std::int64_t n);

}  // namespace formats
}  // namespace rung
