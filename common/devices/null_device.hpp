#pragma once
// A device without memory, for simulations. With it, a KV cache of any size does its bookkeeping but
// allocates no memory for keys and values.

#include "seams/device.hpp"

namespace rung {

/// Returns the only null device, which lives as long as the process. Its buffers have a size but no address:
/// data() is null, also in every tensor of such a buffer, and nothing may read or write there. Copies do
/// nothing. Any thread may use it.
Device& null_device();

}  // namespace rung
