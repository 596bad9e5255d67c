#pragma once
// Formats of plain numbers: one element, one value. MXFP8 alone groups them, under a common power of two.
//
// F8_E4M3 is the 8-bit float of FP8 checkpoints (OCP 8-bit Floating Point Specification, 2023): sign, four
// bits of exponent (bias 7), three of mantissa; no infinity, one NaN per sign (0x7f, 0xff), largest 448.
// MXFP8 is 32 of them times 2^(exponent - 127) (OCP Microscaling Formats, version 1.0, 2023); exponent 255 is
// NaN for all 32. No GGUF file holds it: here it is a format of the KV cache.

#include <cstdint>

namespace rung {

/// Rounds to nearest, ties to even; what is larger than 448, infinity too, becomes 448 of its sign.
std::uint8_t f32_to_f8_e4m3(float value);
float f8_e4m3_to_f32(std::uint8_t byte);

struct BlockMxfp8 {
  static constexpr int kElements = 32;
  std::uint8_t exponent;
  std::uint8_t elements[kElements];
};
static_assert(sizeof(BlockMxfp8) == 33);

namespace formats {

void f32_copy(const void* from, float* to, std::int64_t n);
void f32_store(const float* from, void* to, std::int64_t n);
void f16_to_float(const void* from, float* to, std::int64_t n);
void f16_from_float(const float* from, void* to, std::int64_t n);
void bf16_to_float(const void* from, float* to, std::int64_t n);
void bf16_from_float(const float* from, void* to, std::int64_t n);
void f8_e4m3_to_float(const void* from, float* to, std::int64_t n);
void f8_e4m3_from_float(const float* from, void* to, std::int64_t n);
void mxfp8_to_float(const void* from, float* to, std::int64_t n);
void mxfp8_from_float(const float* from, void* to, std::int64_t n);

}  // namespace formats
}  // namespace rung
