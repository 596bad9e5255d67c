// The host as a device: a device address is a host address.

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/process_memory.hpp"
#include "devices/cpu_device.hpp"

namespace rung {
namespace {

void* aligned(std::size_t alignment, std::size_t bytes) {
  void* data = nullptr;
  return ::posix_memalign(&data, alignment, bytes) == 0 ? data : nullptr;
}

class CpuDevice final : public Device {
 public:
  std::string_view name() const override { return "cpu"; }

  DeviceBuffer allocate(std::size_t bytes) override {
    // A cache line, and an AVX-512 vector; or a page of the large ones, of which a cache of keys and values
    // needs few enough that the processor remembers where they are.
    constexpr std::size_t kLine = 64, kLargePage = std::size_t{2} << 20;
    const std::size_t alignment = bytes >= kLargePage ? kLargePage : kLine;
    const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
    if (rounded == 0) return {};
    // Linux hands out more than it has and kills whoever uses it, so the check must come first.
    constexpr std::size_t kWorthChecking = std::size_t{64} << 20;
    const bool fits =
        rounded >= bytes && (rounded < kWorthChecking || static_cast<double>(rounded) < available_memory());
    void* data = fits ? aligned(alignment, rounded) : nullptr;
    if (data == nullptr) {
      fail(
          "{:.1f} MB of memory are needed in one piece, {:.1f} MB are available; use a smaller --ctx or "
          "fewer sequences",
          static_cast<double>(bytes) * 1e-6, available_memory() * 1e-6);
    }
#ifdef MADV_HUGEPAGE
    if (alignment == kLargePage) ::madvise(data, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);  // advice
#endif
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
