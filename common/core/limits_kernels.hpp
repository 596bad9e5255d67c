#pragma once
// The loop of float32 that measure_limits() times; internal to core.

#include <cstdint>

namespace rung {

/// Runs `rounds` rounds of fused multiply-adds on registers alone; returns how many floating-point operations
/// that was, and a value in `sink` so that the compiler cannot drop the work.
double fma_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
