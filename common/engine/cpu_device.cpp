// The host as a device: a device address is a host address.

#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/process_memory.hpp"
#include "seams/device.hpp"

namespace rung {
namespace {

class CpuDevice final : public Device {
 public:
  std::string_view name() const override { return "cpu"; }

  DeviceBuffer allocate(std::size_t bytes) override {
    constexpr std::size_t kAlignment = 64;  // a cache line, and an AVX-512 vector
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    if (rounded == 0) return {};
    // Linux hands out more than it has and kills whoever uses it, so the check must come first.
    constexpr std::size_t kWorthChecking = std::size_t{64} << 20;
    const bool fits =
        rounded >= bytes && (rounded < kWorthChecking || static_cast<double>(rounded) < available_memory());
    void* data = fits ? std::aligned_alloc(kAlignment, rounded) : nullptr;
    if (data == nullptr) {
      fail(
          "{:.1f} MB of memory are needed in one piece, {:.1f} MB are available; use a smaller --ctx or "
          "fewer sequences",
          static_cast<double>(bytes) * 1e-6, available_memory() * 1e-6);
    }
    std::memset(data, 0, rounded);  // also takes the pages now: later failures would be kills
    return {data, bytes, +[](void* p) { std::free(p); }};
  }

  void to_device(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }
  void to_host(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }
  void copy(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memmove(to, from, bytes);
  }
  bool shares_host_memory() const override { return true; }
  void synchronize() override {}
};

}  // namespace

Device& cpu_device() {
  static CpuDevice device;
  return device;
}

}  // namespace rung
