#pragma once
// The two loops of matrix tiles (Intel AMX) that measure_limits() times; internal to core.

#include <cstdint>

namespace rung {

/// Runs `rounds` rounds of four independent products of a tile of 16 rows x 64 signed bytes with a tile of
/// 64 x 16, added up in 32 bits, on registers alone. Returns the number of operations (2 per product), and in
/// `sink` the sum, which is 1 per product. Returns 0, and leaves `sink` unchanged, if the machine or the SIMD
/// level in force has no tiles.
double int8_tile_rounds(std::int64_t rounds, std::int64_t* sink);

/// The same with tiles of 16 x 32 and 32 x 16 numbers of bfloat16, added up in float32.
double bf16_tile_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
