#include "panel_memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

#include "core/error.hpp"
#include "seams/packed_store.hpp"

namespace rung::linear {

void FreePanels::operator()(std::byte* memory) const { std::free(memory); }

PanelMemory take_panels(std::size_t bytes, const char* rung, const LinearConfig& config) {
  constexpr std::size_t kLine = 64, kLargePage = std::size_t{2} << 20;
  const std::size_t alignment = bytes >= kLargePage ? kLargePage : kLine;
  const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, rounded) != 0) {
    fail("the rung '{}' needs {:.1f} MB for its copy of {}; --linear simd needs none", rung,
         static_cast<double>(bytes) * 1e-6, config.describe());
  }
#ifdef MADV_HUGEPAGE
  // Only whole large pages: the rest would take memory that nobody asked for. It is advice: small pages work
  // too.
  if (alignment == kLargePage) ::madvise(memory, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return PanelMemory(static_cast<std::byte*>(memory));
}

Panels::Panels(const LinearConfig& config, const char* rung, int version, std::size_t bytes,
               const std::function<void(std::byte*)>& write)
    : bytes_(bytes) {
  const std::string layout = fmt::format("{} {}", rung, version);
  if (config.store != nullptr) {
    data_ = config.store->find(config.weight, layout, bytes).data();
    if (data_ != nullptr) return;
  }
  own_ = take_panels(bytes, rung, config);
  write(own_.get());
  data_ = own_.get();
  if (config.store != nullptr) config.store->add(config.weight, layout, {data_, bytes_});
}

}  // namespace rung::linear
