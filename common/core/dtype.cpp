#include "core/dtype.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/error.hpp"

namespace rung {

float bf16_to_f32(std::uint16_t brain) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(brain) << 16);
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // A NaN whose payload sits in the low half would round to infinity; keep it a (quiet) NaN.
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  const std::uint32_t rounding = 0x7fffu + ((bits >> 16) & 1u);  // ties go to the even neighbour
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
    // Adding 0.5 makes the float unit round to multiples of 2^-24 for us, ties to even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u);
  }
  const std::uint32_t rounding = 0xfffu + ((magnitude >> 13) & 1u);
  return sign | static_cast<std::uint16_t>((magnitude - 0x38000000u + rounding) >> 13);
}

namespace {

void f32_copy(const void* from, float* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
}
void f32_store(const float* from, void* to, std::int64_t n) {
  std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
}

// Mapped files promise 2-byte alignment for their 16-bit tensors only through GGUF's alignment rule;
// loaders check it, so plain typed reads are safe here.
template <float (*Decode)(std::uint16_t)>
void from_16bit(const void* from, float* to, std::int64_t n) {
  const auto* source = static_cast<const std::uint16_t*>(from);
  for (std::int64_t i = 0; i < n; ++i) to[i] = Decode(source[i]);
}
template <std::uint16_t (*Encode)(float)>
void to_16bit(const float* from, void* to, std::int64_t n) {
  auto* target = static_cast<std::uint16_t*>(to);
  for (std::int64_t i = 0; i < n; ++i) target[i] = Encode(from[i]);
}

void q8_0_to_float(const void* from, float* to, std::int64_t n) {
  const auto* blocks = static_cast<const BlockQ8_0*>(from);
  for (std::int64_t i = 0; i < n; ++i) {
    const BlockQ8_0& block = blocks[i / BlockQ8_0::kElements];
    to[i] = f16_to_f32(block.scale) * static_cast<float>(block.quants[i % BlockQ8_0::kElements]);
  }
}

// 0 for a scale so small that its inverse is infinite: half precision stores such a scale as 0 anyway.
float inverse_scale(float scale) {
  return std::fabs(scale) >= std::numeric_limits<float>::min() ? 1.0f / scale : 0.0f;
}

// The largest magnitude becomes +-127; the scale is rounded to half only for storage, as GGML does.
void q8_0_from_float(const float* from, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockQ8_0*>(to);
  for (std::int64_t b = 0; b < n / BlockQ8_0::kElements; ++b) {
    const float* x = from + b * BlockQ8_0::kElements;
    float largest = 0.0f;
    for (int i = 0; i < BlockQ8_0::kElements; ++i) largest = std::max(largest, std::fabs(x[i]));
    const float scale = largest / 127.0f;
    const float inverse = inverse_scale(scale);
    blocks[b].scale = f32_to_f16(scale);
    for (int i = 0; i < BlockQ8_0::kElements; ++i) {
      blocks[b].quants[i] = static_cast<std::int8_t>(std::round(x[i] * inverse));
    }
  }
}

void q4_0_to_float(const void* from, float* to, std::int64_t n) {
  const auto* blocks = static_cast<const BlockQ4_0*>(from);
  constexpr int kHalf = BlockQ4_0::kElements / 2;
  for (std::int64_t b = 0; b < n / BlockQ4_0::kElements; ++b) {
    const float scale = f16_to_f32(blocks[b].scale);
    float* out = to + b * BlockQ4_0::kElements;
    for (int i = 0; i < kHalf; ++i) {
      out[i] = scale * static_cast<float>((blocks[b].quants[i] & 15) - 8);
      out[i + kHalf] = scale * static_cast<float>((blocks[b].quants[i] >> 4) - 8);
    }
  }
}

// Four bits hold -8..7, so the element of largest magnitude is mapped to -8, whatever its sign: the
// scale carries the sign. That uses all sixteen levels (GGML, quantize_row_q4_0_ref).
void q4_0_from_float(const float* from, void* to, std::int64_t n) {
  auto* blocks = static_cast<BlockQ4_0*>(to);
  constexpr int kHalf = BlockQ4_0::kElements / 2;
  for (std::int64_t b = 0; b < n / BlockQ4_0::kElements; ++b) {
    const float* x = from + b * BlockQ4_0::kElements;
    float extreme = 0.0f;
    for (int i = 0; i < BlockQ4_0::kElements; ++i) {
      if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
    }
    const float scale = extreme / -8.0f;
    const float inverse = inverse_scale(scale);
    blocks[b].scale = f32_to_f16(scale);
    const auto nibble = [inverse](float v) {
      return static_cast<std::uint8_t>(std::min(15, static_cast<int>(v * inverse + 8.5f)));
    };
    for (int i = 0; i < kHalf; ++i) {
      blocks[b].quants[i] = static_cast<std::uint8_t>(nibble(x[i]) | (nibble(x[i + kHalf]) << 4));
    }
  }
}

constexpr std::array<DTypeTraits, kDTypeCount> kTraits = {{
    {"f32", 1, 4, f32_copy, f32_store},
    {"f16", 1, 2, from_16bit<f16_to_f32>, to_16bit<f32_to_f16>},
    {"bf16", 1, 2, from_16bit<bf16_to_f32>, to_16bit<f32_to_bf16>},
    {"q8_0", BlockQ8_0::kElements, sizeof(BlockQ8_0), q8_0_to_float, q8_0_from_float},
    {"q4_0", BlockQ4_0::kElements, sizeof(BlockQ4_0), q4_0_to_float, q4_0_from_float},
    {"i32", 1, 4, nullptr, nullptr},
}};

}  // namespace

const DTypeTraits& traits(DType type) { return kTraits[static_cast<std::size_t>(type)]; }

DType dtype_from_name(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kTraits.size(); ++i) {
    if (kTraits[i].name == name) return static_cast<DType>(i);
    if (kTraits[i].from_float != nullptr) known += (known.empty() ? "" : ", ") + std::string(kTraits[i].name);
  }
  fail_usage("unknown number format '{}'; known: {}", name, known);
}

std::size_t bytes_of(DType type, std::int64_t n) {
  const DTypeTraits& t = traits(type);
  return static_cast<std::size_t>(n / t.block_elements) * static_cast<std::size_t>(t.block_bytes);
}

}  // namespace rung
