#pragma once
// The devices that --device can name, with their memory and the operations that run on them.

#include <string>

#include "seams/device.hpp"
#include "seams/ops.hpp"

namespace rung {

struct DeviceEntry {
  std::string name;  // the value of --device
  Device& (*device)() = nullptr;
  /// Makes the table of operations between the products. `threads` is the number of host threads that they
  /// may use. The table may be used as long as `device` exists.
  Ops (*ops)(Device& device, int threads) = nullptr;
  std::string missing;  // the parts that do not run on this device yet; empty for a device that can be used
};

/// Returns the device called `name`. Throws UsageError that lists the known names, and Error for a device
/// that cannot run a model yet.
const DeviceEntry& find_device(const std::string& name);

/// Returns the names of all devices, separated by `between`.
std::string device_names(const std::string& between);

}  // namespace rung
