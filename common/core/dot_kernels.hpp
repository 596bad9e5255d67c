#pragma once
// The two loops of short numbers that measure_limits() times; internal to core.

#include <cstdint>

namespace rung {

/// Runs `rounds` rounds of products of unsigned bytes (of the size of 4-bit weights) with signed ones, added
/// up in 32 bits, by the best instructions of the SIMD level in force: AVX-512 VNNI, AVX-VNNI, AVX2's
/// sequence of three, or a plain loop. Returns how many operations that was (2 per product), and in `sink`
/// the sum, which is 31/4 per product; sums of more than 300,000 rounds wrap.
double int8_rounds(std::int64_t rounds, std::int64_t* sink);

/// The same with pairs of bfloat16 ones added up in float32 (AVX512_BF16). Returns 0, and leaves `sink`,
/// where the machine or the SIMD level in force has no such instruction.
double bf16_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
