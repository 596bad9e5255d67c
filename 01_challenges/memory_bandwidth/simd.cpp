// Rung 2 of `bandwidth`: eight sums of whole vectors. One instruction reads 32 bytes (AVX2) and adds them;
// eight vectors are in flight. From here on arithmetic is never what one core waits for.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

float VectorSum(const float* data, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  std::int64_t i = 0;
  for (; i + 8 * lanes <= n; i += 8 * lanes) {
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

HWY_EXPORT(VectorSum);

float vector_sum(const float* data, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(VectorSum)(data, n); }

float simd(std::span<const float> data, int /*threads*/) {
  return vector_sum(data.data(), static_cast<std::int64_t>(data.size()));
}

}  // namespace rung::memory_bandwidth
#endif
