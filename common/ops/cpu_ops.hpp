#pragma once

#include "model/rope.hpp"
#include "seams/ops.hpp"

namespace rung {

/// Returns the operations between the products, which run on the host with `threads` threads.
Ops cpu_ops(int threads);

/// Computes the tables of RoPE for positions 0 .. cos.rows - 1. cos and sin [positions, rotary_dim / 2] are
/// f32 in host memory. Pair i is rotated by the angle position * radians[i]. The values are computed in
/// double precision and rounded once.
void rope_angles(const RopeFrequencies& frequencies, const Tensor& cos, const Tensor& sin);

}  // namespace rung
