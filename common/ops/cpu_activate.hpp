#pragma once

#include "core/tensor.hpp"
#include "model/model_config.hpp"

namespace rung {

/// Implements Ops::activate on the CPU with `threads` threads. The error of silu is at most 4 ulp, and that
/// of gelu_tanh at most 1e-6 |z|; gelu_erf uses the C library's erf. The result for a number does not depend
/// on its position in a row.
void cpu_activate(int threads, const Tensor& in, Activation activation, const Tensor& h);

}  // namespace rung
