#pragma once

#include "model/rope.hpp"
#include "seams/ops.hpp"

namespace rung {

/// The operations between the products on the host, with `threads` threads.
Ops cpu_ops(int threads);

/// Angles for positions 0 .. cos.rows - 1: cos and sin [positions, rotary_dim / 2], f32, host memory.
/// Pair i turns by position * radians[i]; computed in double, rounded once.
void rope_angles(const RopeFrequencies& frequencies, const Tensor& cos, const Tensor& sin);

}  // namespace rung
