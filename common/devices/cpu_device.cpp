// The host as a device. A device address is a host address.

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
    // Memory is aligned to a cache line, which is also the size of an AVX-512 vector, or to a large page. A
    // KV cache needs so few large pages that the processor's TLB can hold their addresses.
    constexpr std::size_t kLine = 64, kLargePage = std::size_t{2} << 20;
    const std::size_t alignment = bytes >= kLargePage ? kLargePage : kLine;
    const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
    if (rounded == 0) return {};
    // Linux allocates more memory than it has and kills a process that uses it, so the size is checked first.
    constexpr std::size_t kWorthChecking = std::size_t{64} << 20;
    const bool fits =
        rounded >= bytes && (rounded < kWorthChecking || static_cast<double>(rounded) < available_memory());
    void* data = fits ? aligned(alignment, rounded) : nullptr;
    if (data == nullptr) {
      fail(
          "a buffer needs {:.1f} MB of memory, but {:.1f} MB are available; use a smaller --ctx or fewer "
          "sequences",
          static_cast<double>(bytes) * 1e-6, available_memory() * 1e-6);
    }
#ifdef MADV_HUGEPAGE
    if (alignment == kLargePage) ::madvise(data, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);  // advice
#endif
    std::memset(data, 0, rounded);  // also allocates the pages now; a later failure would kill the process
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
