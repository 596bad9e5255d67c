// Rung 4 of `bandwidth`: asks for each cache line a page before it is read. The hardware prefetcher looks
// ahead too, but not across the end of a page of 4 kB, where it has to start anew; an instruction may.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/prefetch.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float PrefetchSum(const float* data, std::int64_t n) {
  constexpr std::int64_t kAhead = 1024, kLine = 16;  // floats: a page, a cache line
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  std::int64_t i = 0;
  for (; i + 8 * lanes <= n; i += 8 * lanes) {
    // The last page asks for lines behind the piece: the next thread's, or nobody's. A prefetch never faults.
    for (std::int64_t line = 0; line < 8 * lanes; line += kLine) __builtin_prefetch(data + i + kAhead + line);
    s0 = hn::Add(s0, hn::LoadU(d, data + i));
    s1 = hn::Add(s1, hn::LoadU(d, data + i + lanes));
    s2 = hn::Add(s2, hn::LoadU(d, data + i + 2 * lanes));
    s3 = hn::Add(s3, hn::LoadU(d, data + i + 3 * lanes));
    s4 = hn::Add(s4, hn::LoadU(d, data + i + 4 * lanes));
    s5 = hn::Add(s5, hn::LoadU(d, data + i + 5 * lanes));
    s6 = hn::Add(s6, hn::LoadU(d, data + i + 6 * lanes));
    s7 = hn::Add(s7, hn::LoadU(d, data + i + 7 * lanes));
  }
  const auto sums =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; i < n; ++i) sum += data[i];
  return sum;
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
