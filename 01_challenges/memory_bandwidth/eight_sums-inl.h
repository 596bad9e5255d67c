// The loop of the rungs `simd`, `prefetch` and `streams`: eight vector sums, each of which reads its own
// place.
//
// Included once per instruction set, hence no include guard.

HWY_BEFORE_NAMESPACE();
namespace rung::memory_bandwidth::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The sum of n floats. Each of `rounds` rounds calls before(at) and reads eight vectors, at `at`, at +
/// stride, …, at + 7 * stride; then `at` advances by `step`. All in floats. The numbers from 8 * rounds *
/// Lanes on are added one by one. REQUIRES: the rounds read each of the numbers before these exactly once.
template <class Before>
HWY_INLINE float eight_sums(const float* data, std::int64_t n, std::int64_t rounds, std::int64_t stride,
                            std::int64_t step, const Before& before) {
  const hn::ScalableTag<float> d;
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const float* at = data;
  for (std::int64_t round = 0; round < rounds; ++round, at += step) {
    before(at);
    s0 = hn::Add(s0, hn::LoadU(d, at));
    s1 = hn::Add(s1, hn::LoadU(d, at + stride));
    s2 = hn::Add(s2, hn::LoadU(d, at + 2 * stride));
    s3 = hn::Add(s3, hn::LoadU(d, at + 3 * stride));
    s4 = hn::Add(s4, hn::LoadU(d, at + 4 * stride));
    s5 = hn::Add(s5, hn::LoadU(d, at + 5 * stride));
    s6 = hn::Add(s6, hn::LoadU(d, at + 6 * stride));
    s7 = hn::Add(s7, hn::LoadU(d, at + 7 * stride));
  }
  const auto sums =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 8 * lanes * rounds; i < n; ++i) sum += data[i];
  return sum;
}

}  // namespace rung::memory_bandwidth::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
