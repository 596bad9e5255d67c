#pragma once
// The host as a device: its memory is used as it lies, and copies are memcpy.

#include "seams/device.hpp"

namespace rung {

/// One object for the process. Any thread may call it.
Device& cpu_device();

}  // namespace rung
