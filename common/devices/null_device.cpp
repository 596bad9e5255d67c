// A device whose buffers have a size but no memory.

#include "devices/null_device.hpp"

namespace rung {
namespace {

class NullDevice final : public Device {
 public:
  std::string_view name() const override { return "null"; }
  DeviceBuffer allocate(std::size_t bytes) override {
    return {nullptr, bytes, +[](void*) {}};
  }
  void to_device(void* /*to*/, const void* /*from*/, std::size_t /*bytes*/) override {}
  void to_host(void* /*to*/, const void* /*from*/, std::size_t /*bytes*/) override {}
  void copy(void* /*to*/, const void* /*from*/, std::size_t /*bytes*/) override {}
  bool shares_host_memory() const override { return false; }
  void synchronize() override {}
};

}  // namespace

Device& null_device() {
  static NullDevice device;
  return device;
}

}  // namespace rung
