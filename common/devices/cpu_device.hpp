#pragma once
// The host as a device. Its addresses are host addresses, and a copy is a memcpy.

#include "seams/device.hpp"

namespace rung {

/// Returns the only object for the host, which lives as long as the process. Any thread may use it.
Device& cpu_device();

}  // namespace rung
