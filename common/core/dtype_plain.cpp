#include "core/dtype_plain.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/dtype.hpp"

namespace rung {

float bf16_to_f32(std::uint16_t brain) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(brain) << 16);
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // A NaN with its payload in the low half would round to infinity. This makes it a quiet NaN instead.
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  const std::uint32_t rounding = 0x7fffu + ((bits >> 16) & 1u);  // ties go to the even number
  return static_cast<std::uint16_t>((bits + rounding) >> 16);
}

float f16_to_f32(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t mantissa = half & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // rounds to 2^16 or more: infinity
  if (magnitude < 0x38800000u) {                        // below 2^-14: subnormal half
    // Adding 0.5 makes the floating-point unit round to multiples of 2^-24, ties to even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
  }
  const std::uint32_t rounding = 0xfffu + ((magnitude >> 13) & 1u);
  return sign | static_cast<std::uint16_t>((magnitude - 0x38000000u + rounding) >> 13);
}

namespace {

constexpr std::array<float, 256> kF8Values = [] {
  std::array<float, 256> values{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const std::uint32_t exponent = (byte >> 3) & 15u;
    const std::uint32_t mantissa = byte & 7u;
    float magnitude = static_cast<float>(mantissa) * 0x1p-9f;  // zero and subnormals
    if (exponent > 0) magnitude = std::bit_cast<float>(((exponent + 120) << 23) | (mantissa << 20));
    if ((byte & 0x7fu) == 0x7fu) magnitude = std::bit_cast<float>(0x7fc00000u);
    values[byte] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | ((byte & 0x80u) << 24));
  }
  return values;
}();

// In a mapped file, only GGUF's alignment rule ensures that 16-bit tensors are aligned to 2 bytes. Loaders
// check this rule, so plain typed reads are safe here.
template <class T, float (*Decode)(T)>
void decode_each(const void* from, float* to, std::int64_t n) {
  const auto* source = static_cast<const T*>(from);
  for (std::int64_t i = 0; i < n; ++i) to[i] = Decode(source[i]);
}
template <class T, T (*Encode)(float)>
void encode_each(const float* from, void* to, std::int64_t n) {
  auto* target = static_cast<T*>(to);
  for (std::int64_t i = 0; i < n; ++i) target[i] = Encode(from[i]);
}

}  // namespace

float f8_e4m3_to_f32(std::uint8_t byte) { return kF8Values[byte]; }

std::uint8_t f32_to_f8_e4m3(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint8_t>((bits >> 24) & 0x80u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return sign | 0x7fu;                            // NaN
  if (magnitude >= std::bit_cast<std::uint32_t>(448.0f)) return sign | 0x7eu;  // saturates
  if (magnitude < std::bit_cast<std::uint32_t>(0x1p-6f)) {                     // subnormal
    // As in f32_to_f16: the addition rounds to multiples of 2^-9, the last place of 2^14.
    const float shifted = std::bit_cast<float>(magnitude) + 0x1p14f;
    return sign | static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(shifted) -
                                            std::bit_cast<std::uint32_t>(0x1p14f));
  }
  const std::uint32_t rounding = 0x7ffffu + ((magnitude >> 20) & 1u);
  return sign | static_cast<std::uint8_t>((magnitude - (120u << 23) + rounding) >> 20);
}

namespace formats {

void f32_copy(const void* from, float* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
}
void f32_store(const float* from, void* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
}
void f16_to_float(const void* from, float* to, std::int64_t n) {
  decode_each<std::uint16_t, f16_to_f32>(from, to, n);
}
void f16_from_float(const float* from, void* to, std::int64_t n) {
  encode_each<std::uint16_t, f32_to_f16>(from, to, n);
}
void bf16_to_float(const void* from, float* to, std::int64_t n) {
  decode_each<std::uint16_t, bf16_to_f32>(from, to, n);
}
void bf16_from_float(const float* from, void* to, std::int64_t n) {
  encode_each<std::uint16_t, f32_to_bf16>(from, to, n);
}
void f8_e4m3_to_float(const void* from, float* to, std::int64_t n) {
  decode_each<std::uint8_t, f8_e4m3_to_f32>(from, to, n);
}
void f8_e4m3_from_float(const float* from, void* to, std::int64_t n) {
  encode_each<std::uint8_t, f32_to_f8_e4m3>(from, to, n);
}

void mxfp8_to_float(const void* from, float* to, std::int64_t n) {
  const auto* blocks = static_cast<const BlockMxfp8*>(from);
  for (std::int64_t b = 0; b < n / BlockMxfp8::kElements; ++b) {
    const int power = blocks[b].exponent - 127;
    const bool nan = blocks[b].exponent == 255;
    for (const std::uint8_t element : blocks[b].elements) {
      *to++ = nan ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(kF8Values[element], power);
    }
  }
}

// The specification uses the exponent of the largest element minus 8, so this element becomes a number
// between 256 and 512. A number above 448 would be clipped, so in this case the next exponent is used. This
// does not change the precision of the other elements unless they become subnormal, because they are floats.
void mxfp8_from_float(const float* from, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockMxfp8*>(to);
  for (std::int64_t b = 0; b < n / BlockMxfp8::kElements; ++b, from += BlockMxfp8::kElements) {
    float largest = 0.0f;
    bool finite = true;
    for (int i = 0; i < BlockMxfp8::kElements; ++i) {
      largest = std::max(largest, std::fabs(from[i]));
      finite = finite && std::isfinite(from[i]);
    }
    int power = -127;
    if (!finite) {
      power = 128;  // the exponent of NaN, so that an element that is lost is visible
    } else if (largest > 0.0f) {
      power = std::ilogb(largest) - 8;
      if (std::ldexp(largest, -power) > 448.0f) ++power;
      power = std::max(power, -127);
    }
    blocks[b].exponent = static_cast<std::uint8_t>(power + 127);
    for (int i = 0; i < BlockMxfp8::kElements; ++i) {
      blocks[b].elements[i] = finite ? f32_to_f8_e4m3(std::ldexp(from[i], -power)) : std::uint8_t{0x7f};
    }
  }
}

}  // namespace formats
}  // namespace rung
