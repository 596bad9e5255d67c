#include "core/large_array.hpp"

#include <sys/mman.h>

#include "core/error.hpp"

namespace rung {

LargeArray::LargeArray(std::int64_t count, Pages pages) : count_(count) {
  constexpr std::size_t kLargePage = std::size_t{2} << 20;
  mapped_bytes_ = static_cast<std::size_t>(count) * sizeof(float) + 2 * kLargePage;
  mapped_ = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) {
    fail("a measurement needs {:.0f} MB of memory, but there is not enough; end other programs",
         static_cast<double>(mapped_bytes_) * 1e-6);
  }
#ifdef MADV_HUGEPAGE
  ::madvise(mapped_, mapped_bytes_, pages == Pages::large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
  const std::size_t before = reinterpret_cast<std::uintptr_t>(mapped_) % kLargePage;
  data_ = reinterpret_cast<float*>(static_cast<char*>(mapped_) + (kLargePage - before) % kLargePage);
}

LargeArray::~LargeArray() { ::munmap(mapped_, mapped_bytes_); }

}  // namespace rung
