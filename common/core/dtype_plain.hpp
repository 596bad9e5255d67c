#pragma once
// Formats of plain numbers, in which each element is stored as a separate number. Only MXFP8 has blocks,
// whose numbers share a power of two.
//
// F8_E4M3 is the 8-bit float of FP8 checkpoints (OCP 8-bit Floating Point Specification, 2023). It has a
// sign, four bits of exponent (bias 7) and three bits of mantissa. It has no infinity, one NaN per sign (0x7f
// and 0xff), and 448 is its largest number. A block of MXFP8 is 32 of these numbers times 2^(exponent - 127)
// (OCP Microscaling Formats, version 1.0, 2023). If the exponent is 255, all 32 numbers are NaN. No GGUF file
// uses MXFP8; in Rung it is a format of the KV cache.

#include <cstdint>

namespace rung {

/// Rounds to nearest, ties to even. A number above 448 becomes 448, and one below -448 becomes -448, infinity
/// included.
std::uint8_t f32_to_f8_e4m3(float value);
float f8_e4m3_to_f32(std::uint8_t byte);

/// weight = 2^(exponent - 127) * element.
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
