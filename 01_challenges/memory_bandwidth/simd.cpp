// Rung 2 of `bandwidth`: eight sums of whole vectors. One instruction reads 32 bytes (AVX2) and adds them,
// and eight vectors are in flight. From this rung on, a core never waits for arithmetic.

#include "memory_bandwidth.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "01_challenges/memory_bandwidth/simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "eight_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth {
namespace HWY_NAMESPACE {

float VectorSum(const float* data, std::int64_t n) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  return eight_sums(data, n, n / (8 * lanes), lanes, 8 * lanes, [](const float*) HWY_ATTR {});
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
