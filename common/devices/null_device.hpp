#pragma once
// A device without memory, for simulations: a KV cache of any size keeps its books over it and takes no
// memory.

#include "seams/device.hpp"

namespace rung {

/// One object for the process. Its buffers have a size and no address: data() is null, also in every tensor
/// that is made of them, and nothing may read or write through it. Copies do nothing. Any thread may call it.
Device& null_device();

}  // namespace rung
