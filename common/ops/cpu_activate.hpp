#pragma once

#include "core/tensor.hpp"
#include "model/model_config.hpp"

namespace rung {

/// Ops::activate on the CPU. silu is within 4 ulp of the exact function, gelu_tanh off by at most 1e-6 |z|;
/// gelu_erf is the C library's. A number comes out the same wherever it stands in a row.
void cpu_activate(int threads, const Tensor& in, Activation activation, const Tensor& h);

}  // namespace rung
