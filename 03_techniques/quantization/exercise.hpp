#pragma once
// The exercise, mine.cpp: one function per step. The last step is mine(), which quantization.hpp declares.

#include <cstdint>
#include <vector>

#include "quantization.hpp"

namespace rung::quantization {

/// Step 1. Returns the scale of a block of 32 weights: the (first) weight of the largest magnitude divided by
/// -8.
float my_scale(const float* x);
/// Step 2. Rounds 32 weights to levels from 0 to 15, which stand for scale * (level - 8).
void my_round(const float* x, float scale, std::uint8_t* levels);

std::vector<ExerciseStep> steps();

}  // namespace rung::quantization
