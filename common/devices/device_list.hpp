#pragma once
// Every device that --device can name: where its memory comes from, and who runs the operations on it.

#include <string>

#include "seams/device.hpp"
#include "seams/ops.hpp"

namespace rung {

struct DeviceEntry {
  std::string name;  // as --device names it
  Device& (*device)() = nullptr;
  /// Makes the table of operations between the products. `threads` is the number of host threads that they
  /// may use. The table may be used as long as `device` exists.
  Ops (*ops)(Device& device, int threads) = nullptr;
  std::string missing;  // the parts that do not run on this device yet; empty for a device that can be used
};

/// Returns the device called `name`. Throws UsageError that lists the known names, and Error for a device
/// that cannot run a model yet.
const DeviceEntry& find_device(const std::string& name);

/// Returns all names, with `between` between two of them.
std::string device_names(const std::string& between);

}  // namespace rung
