#pragma once
// A CUDA GPU as a device (seams/device.hpp). This header exists for code that is built with RUNG_HAS_CUDA.
//
// State: every build that has nvcc compiles it, but it has not run on a GPU yet. The test cuda.device will
// show whether it works; the test is skipped on machines without a GPU.

#include "seams/device.hpp"

namespace rung {

/// Returns how many CUDA GPUs this process can use, or 0 if there is no GPU or no driver. Never throws.
int cuda_device_count();

/// Returns GPU number `index`, as nvidia-smi counts them. It has two streams: stream 0 is for the work, and
/// stream 1 is for copies at the same time (copy_in_stream() from and to page-locked host memory). New memory
/// is zeroed before allocate() returns, so any stream may use it. There is one object per GPU, which lives as
/// long as the process and is not owned by the caller. Throws Error if there is no such GPU. Thread safety:
/// any thread may call this function, but only one thread at a time may use the device.
Device* cuda_device(int index = 0);

}  // namespace rung
