#pragma once
// Host memory as a device, for the programs of this folder: a chapter does not know the engine's devices.

#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "seams/device.hpp"

namespace rung::kv_cache {

class HostDevice final : public Device {
 public:
  std::size_t copied = 0;  // bytes, by copy()

  std::string_view name() const override { return "host"; }
  DeviceBuffer allocate(std::size_t bytes) override {
    void* data = std::calloc(bytes, 1);
    if (data == nullptr) fail("{} bytes are not available", bytes);
    return {data, bytes, std::free};
  }
  void to_device(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void to_host(void* to, const void* from, std::size_t bytes) override { std::memcpy(to, from, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) override {
    std::memmove(to, from, bytes);
    copied += bytes;
  }
  bool shares_host_memory() const override { return true; }
  void synchronize() override {}
};

}  // namespace rung::kv_cache
