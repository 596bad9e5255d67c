// Rung 4 of `bandwidth`: prefetches each cache line one page before it is read. The hardware prefetcher also
// reads ahead, but it stops at the end of a page of 4 kB and starts anew in the next one. A prefetch
// instruction can cross that boundary.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/prefetch.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "eight_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {

float PrefetchSum(const float* data, std::int64_t n) {
  constexpr std::int64_t kAhead = 1024, kLine = 16;  // floats: a page, a cache line
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  // In the last page of a piece, the prefetched lines lie beyond the piece. A prefetch never faults.
  return eight_sums(data, n, n / (8 * lanes), lanes, 8 * lanes, [lanes](const float* at) HWY_ATTR {
    for (std::int64_t line = 0; line < 8 * lanes; line += kLine) __builtin_prefetch(at + kAhead + line);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace rung::memory_bandwidth
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::memory_bandwidth {

HWY_EXPORT(PrefetchSum);

float prefetch(std::span<const float> data, int threads) {
  return sum_pieces(data, threads, HWY_DYNAMIC_DISPATCH(PrefetchSum));
}

}  // namespace rung::memory_bandwidth
#endif
