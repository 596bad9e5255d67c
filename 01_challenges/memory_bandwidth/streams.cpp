// Rung 5 of `bandwidth`: every piece is read at eight places at once. The hardware prefetcher follows each
// of these streams by itself, up to the end of its page of 4 kB; with eight it is ahead at eight places, and
// eight banks of the memory are open.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/streams.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float StreamSum(const float* data, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  // A cache line is 16 floats: streams that begin in the middle of one would share it.
  const std::int64_t stream = n / 8 / 16 * 16;
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (std::int64_t i = 0; i < stream; i += lanes) {
    const float* at = data + i;
    s0 = hn::Add(s0, hn::LoadU(d, at));
    s1 = hn::Add(s1, hn::LoadU(d, at + stream));
    s2 = hn::Add(s2, hn::LoadU(d, at + 2 * stream));
    s3 = hn::Add(s3, hn::LoadU(d, at + 3 * stream));
    s4 = hn::Add(s4, hn::LoadU(d, at + 4 * stream));
    s5 = hn::Add(s5, hn::LoadU(d, at + 5 * stream));
    s6 = hn::Add(s6, hn::LoadU(d, at + 6 * stream));
    s7 = hn::Add(s7, hn::LoadU(d, at + 7 * stream));
  }
  const auto sums =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (std::int64_t i = 8 * stream; i < n; ++i) sum += data[i];
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace rung::memory_bandwidth
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::memory_bandwidth {

HWY_EXPORT(StreamSum);

float streams(std::span<const float> data, int threads) {
  return sum_pieces(data, threads, HWY_DYNAMIC_DISPATCH(StreamSum));
}

}  // namespace rung::memory_bandwidth
#endif
