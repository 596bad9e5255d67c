#include "core/limits_kernels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/limits_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rung {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Eight streams at once: one alone does not keep the memory system busy (here it reads a tenth less).
float ReadAll(const float* data, std::int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t stream = n / 8;
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (std::int64_t i = 0; i + lanes <= stream; i += lanes) {
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
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)));
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// Twelve independent chains: latency 4 times two units per cycle needs eight. Each starts from a value of its
// own: equal chains would be one chain to the compiler.
double FmaRounds(std::int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  const auto start = [&](int chain) HWY_ATTR { return hn::Set(d, *sink + static_cast<float>(chain)); };
  auto c0 = start(0), c1 = start(1), c2 = start(2), c3 = start(3), c4 = start(4), c5 = start(5);
  auto c6 = start(6), c7 = start(7), c8 = start(8), c9 = start(9), c10 = start(10), c11 = start(11);
  for (std::int64_t i = 0; i < rounds; ++i) {
    c0 = hn::MulAdd(c0, a, b);
    c1 = hn::MulAdd(c1, a, b);
    c2 = hn::MulAdd(c2, a, b);
    c3 = hn::MulAdd(c3, a, b);
    c4 = hn::MulAdd(c4, a, b);
    c5 = hn::MulAdd(c5, a, b);
    c6 = hn::MulAdd(c6, a, b);
    c7 = hn::MulAdd(c7, a, b);
    c8 = hn::MulAdd(c8, a, b);
    c9 = hn::MulAdd(c9, a, b);
    c10 = hn::MulAdd(c10, a, b);
    c11 = hn::MulAdd(c11, a, b);
  }
  const auto sum = hn::Add(
      hn::Add(hn::Add(c0, c1), hn::Add(c2, c3)),
      hn::Add(hn::Add(hn::Add(c4, c5), hn::Add(c6, c7)), hn::Add(hn::Add(c8, c9), hn::Add(c10, c11))));
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return 12.0 * 2.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

}  // namespace HWY_NAMESPACE
}  // namespace rung
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung {

HWY_EXPORT(ReadAll);
HWY_EXPORT(FmaRounds);

float read_all(const float* data, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(ReadAll)(data, n); }
double fma_rounds(std::int64_t rounds, float* sink) { return HWY_DYNAMIC_DISPATCH(FmaRounds)(rounds, sink); }

}  // namespace rung
#endif
