#pragma once
// The K formats have blocks of 256 weights, divided into sub-blocks of 16 or 32. The scales of the sub-blocks
// are small integers that share one binary16 scale per block (github.com/ggml-org/ggml, ggml-common.h;
// introduced in llama.cpp pull request 1684). The scale of a sub-block needs 4 to 8 bits instead of 16, so
// sub-blocks can be smaller.
//
//   q2_k, q4_k, q5_k   weight = d * scale * quant - d_min * minimum     quants from 0 on
//   q3_k, q6_k         weight = d * scale * quant                       signed quants
//
// dtype_k.cpp packs and unpacks blocks. dtype_k_encode.cpp quantizes by a fixed rule, and
// 03_techniques/quantization searches for integers with a smaller error.

#include <cstdint>

#include "core/dtype.hpp"

namespace rung {

constexpr int kKElements = 256;  // weights of a block; QK_K in GGML

/// 16 sub-blocks of 16, 2.625 bits per weight.
struct BlockQ2K {
  static constexpr int kElements = kKElements;
  std::uint8_t scales[16];  // low half: scale, high half: minimum
  std::uint8_t quants[64];  // 2 bits each
  std::uint16_t d;          // binary16, as are all d and d_min below
  std::uint16_t d_min;
};
static_assert(sizeof(BlockQ2K) == 84);

/// 16 sub-blocks of 16, 3.4375 bits per weight. Quants from -4 to 3, scales from -32 to 31.
struct BlockQ3K {
  static constexpr int kElements = kKElements;
  std::uint8_t high[32];    // third bit of each quant
  std::uint8_t quants[64];  // the lower two bits of each quant
  std::uint8_t scales[12];  // 6 bits each
  std::uint16_t d;
};
static_assert(sizeof(BlockQ3K) == 110);

/// 8 sub-blocks of 32, 4.5 bits per weight.
struct BlockQ4K {
  static constexpr int kElements = kKElements;
  std::uint16_t d;
  std::uint16_t d_min;
  std::uint8_t scales[12];  // 8 scales and 8 minima of 6 bits
  std::uint8_t quants[128];
};
static_assert(sizeof(BlockQ4K) == 144);

/// 8 sub-blocks of 32, 5.5 bits per weight.
struct BlockQ5K {
  static constexpr int kElements = kKElements;
  std::uint16_t d;
  std::uint16_t d_min;
  std::uint8_t scales[12];
  std::uint8_t high[32];  // fifth bit of each quant
  std::uint8_t quants[128];
};
static_assert(sizeof(BlockQ5K) == 176);

/// 16 sub-blocks of 16, 6.5625 bits per weight. Quants from -32 to 31.
struct BlockQ6K {
  static constexpr int kElements = kKElements;
  std::uint8_t low[128];  // lower four bits of each quant
  std::uint8_t high[64];  // upper two bits of each quant
  std::int8_t scales[16];
  std::uint16_t d;
};
static_assert(sizeof(BlockQ6K) == 210);

/// The integers of one block, in the order of its elements. A quantizer computes them, and pack() stores them
/// in the layout of a format.
struct KIntegers {
  std::int8_t quants[kKElements];
  std::int8_t scales[16];   // of 8 or 16 sub-blocks
  std::uint8_t minima[16];  // 0 if the format has no minima
  std::uint16_t d, d_min;   // binary16
};

namespace formats {

void pack(const KIntegers& from, BlockQ2K& to);
void pack(const KIntegers& from, BlockQ3K& to);
void pack(const KIntegers& from, BlockQ4K& to);
void pack(const KIntegers& from, BlockQ5K& to);
void pack(const KIntegers& from, BlockQ6K& to);
void unpack(const BlockQ2K& from, KIntegers& to);
void unpack(const BlockQ3K& from, KIntegers& to);
void unpack(const BlockQ4K& from, KIntegers& to);
void unpack(const BlockQ5K& from, KIntegers& to);
void unpack(const BlockQ6K& from, KIntegers& to);

/// Returns whether `type` is one of the five K formats.
constexpr bool is_k(DType type) { return type >= DType::q2_k && type <= DType::q6_k; }

void q2_k_to_float(const void* from, float* to, std::int64_t n);
void q2_k_from_float(const float* from, void* to, std::int64_t n);
void q3_k_to_float(const void* from, float* to, std::int64_t n);
void q3_k_from_float(const float* from, void* to, std::int64_t n);
void q4_k_to_float(const void* from, float* to, std::int64_t n);
void q4_k_from_float(const float* from, void* to, std::int64_t n);
void q5_k_to_float(const void* from, float* to, std::int64_t n);
void q5_k_from_float(const float* from, void* to, std::int64_t n);
void q6_k_to_float(const void* from, float* to, std::int64_t n);
void q6_k_from_float(const float* from, void* to, std::int64_t n);

}  // namespace formats
}  // namespace rung
