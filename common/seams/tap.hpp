#pragma once
// A look at intermediate values of a forward pass.

#include <functional>
#include <string_view>

#include "core/tensor.hpp"

namespace rung {

/// Sees intermediate values: a name, the layer (-1 outside the layers) and the tensor, valid during the call.
/// For debugging and for comparing with other implementations. May be empty.
using Tap = std::function<void(std::string_view name, int layer, const Tensor& value)>;

}  // namespace rung
