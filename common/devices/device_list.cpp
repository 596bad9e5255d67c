// The list of all devices. To add a device, include its headers here and add its entry.

#include "devices/device_list.hpp"

#include <vector>

#include "core/error.hpp"
#include "devices/cpu_device.hpp"
#include "ops/cpu_ops.hpp"

namespace rung {
namespace {

const std::vector<DeviceEntry>& devices() {
  static const std::vector<DeviceEntry> all = {
      {"cpu", cpu_device, [](Device&, int threads) { return cpu_ops(threads); }, ""},
      {"cuda", nullptr, nullptr, "attention, linear and the operations between them"},
  };
  return all;
}

}  // namespace

const DeviceEntry& find_device(const std::string& name) {
  for (const DeviceEntry& entry : devices()) {
    if (entry.name != name) continue;
    if (!entry.missing.empty())
      fail("device '{}' cannot run a model yet: {} run on 'cpu' only; use --device cpu", name, entry.missing);
    return entry;
  }
  fail_usage("unknown device '{}'; choose one of: {}", name, device_names(", "));
}

std::string device_names(const std::string& between) {
  std::string names;
  for (const DeviceEntry& entry : devices()) names += (names.empty() ? "" : between) + entry.name;
  return names;
}

}  // namespace rung
