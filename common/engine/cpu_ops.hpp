#pragma once

#include "seams/ops.hpp"

namespace rung {

/// The operations between the products on the host, with `threads` threads.
Ops cpu_ops(int threads);

/// Angles for positions 0 .. positions - 1: cos and sin [positions, rotary_dim / 2], f32, host memory.
/// Pair i turns by position * theta^(-2 i / rotary_dim); computed in double, rounded once.
void rope_angles(float theta, int rotary_dim, const Tensor& cos, const Tensor& sin);

}  // namespace rung
