#pragma once
// A CUDA GPU as a device (seams/device.hpp). This header exists for code that is built with RUNG_HAS_CUDA.
//
// State: compiled by every build that has nvcc, but not yet run on a GPU. The test cuda.device is what will
// say that it works; it skips where there is none.

#include "seams/device.hpp"

namespace rung {

/// How many CUDA GPUs this process can use; 0 when there is none or no driver. Never throws.
int cuda_device_count();

/// GPU number `index` (as nvidia-smi counts them), with two streams: 0 orders the work, 1 is for copies
/// beside it (copy_in_stream() from and to page-locked host memory). New memory is zeroed before allocate()
/// returns, so any stream may use it. One object per GPU for the life of the process; not owned by the
/// caller. Throws Error when there is no such GPU. Thread safety: this function, yes; the device, one thread
/// at a time.
Device* cuda_device(int index = 0);

}  // namespace rung
