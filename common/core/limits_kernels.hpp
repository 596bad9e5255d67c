#pragma once
// The two loops that measure_limits() times; internal to core.

#include <cstdint>

namespace rung {

/// Sum of n floats, n a multiple of 128: as fast as memory delivers.
float read_all(const float* data, std::int64_t n);

/// Runs `rounds` rounds of fused multiply-adds on registers alone; returns how many floating-point operations
/// that was, and a value in `sink` so that the compiler cannot drop the work.
double fma_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
