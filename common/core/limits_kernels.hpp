#pragma once
// The loop over float32 numbers that LimitsMeter times. Internal to core.

#include <cstdint>

namespace rung {

/// Runs `rounds` rounds of fused multiply-adds that use registers only. Returns the number of floating-point
/// operations. Stores a result in `sink`, so that the compiler cannot remove the work.
double fma_rounds(std::int64_t rounds, float* sink);

}  // namespace rung
