#pragma once
// The two loops over 8-bit and 16-bit numbers that LimitsMeter times. Internal to core.

#include <cstdint>

namespace rung {

/// Runs `rounds` rounds of products of unsigned bytes with signed bytes, which are added in 32 bits. The
/// unsigned bytes are as small as 4-bit weights. The loop uses the best instructions of the current SIMD
/// level: AVX-512 VNNI, AVX-VNNI, AVX2's sequence of three instructions, or a plain loop. Returns the number
/// of operations, 2 per product. Stores in `sink` the sum, which is 31/4 per product; it overflows after more
/// than 300,000 rounds.
double int8_rounds(std::int64_t rounds, std::int64_t* sink);

/// Does the same with products of bfloat16 numbers, which are added in pairs in float32 (AVX512_BF16). If the
/// machine or the current SIMD level has no such instruction, returns 0 and does not change `sink`.
double bf16_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
