// Rung 5 of `bandwidth`: reads every piece at eight places at once. The hardware prefetcher follows each of
// these streams by itself, up to the end of its page of 4 kB. With eight streams it reads ahead at eight
// places, and eight banks of the memory are open.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/streams.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "eight_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {

float StreamSum(const float* data, std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  // A cache line is 16 floats: streams that begin in the middle of one would share it.
  const std::int64_t stream = n / 8 / 16 * 16;
  return eight_sums(data, n, stream / lanes, stream, lanes, [](const float*) HWY_ATTR {});
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
