#pragma once
// A callback that receives intermediate values of a forward pass.

#include <functional>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

/// Receives an intermediate value: its name, its layer (-1 outside the layers), and the tensor, which is
/// valid during the call. It serves debugging and comparisons with other implementations. May be empty.
using Tap = std::function<void(std::string_view name, int layer, const Tensor& value)>;

}  // namespace rung
