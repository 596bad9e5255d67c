#include "quantized_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/linear/quantized_rows.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <limits>

#include "core/parallel.hpp"
#include "core/simd.hpp"
#include "thread_memory.hpp"

#ifndef RUNG_LINEAR_ROUNDED_ROW
#define RUNG_LINEAR_ROUNDED_ROW
namespace rung::linear {
/// Where a row's blocks go: block b is element b * stride of each. One of starts and scaled_sums is null.
struct RoundedRow {
  std::int8_t* quants;  // [.., 32]
  float* scales;
  std::int32_t* starts;  // [.., halves]
  float* scaled_sums;    // [.., halves]
  std::int64_t stride;
  int halves, offset;
};
}  // namespace rung::linear
#endif

HWY_BEFORE_NAMESPACE();
namespace rung::linear::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Ints = hn::RebindToSigned<Floats>;
using Bytes = hn::Rebind<std::int8_t, Floats>;
constexpr int kLanes = hn::MaxLanes(Floats());
constexpr int kVectors = kIntegerBlock / kLanes;

/// One block. kHalves: how many sums of its quants are wanted.
template <int kHalves>
HWY_INLINE void round_block(const float* x, std::int64_t at, const RoundedRow& to) {
  const Floats floats;
  const Ints ints;
  std::int8_t* quants = to.quants + at * kIntegerBlock;
  auto largest = hn::Zero(floats);
  auto finite = hn::IsFinite(largest);
  for (int v = 0; v < kVectors; ++v) {
    const auto value = hn::LoadU(floats, x + v * kLanes);
    largest = hn::Max(largest, hn::Abs(value));
    finite = hn::And(finite, hn::IsFinite(value));  // Max may lose a NaN
  }
  const float extreme = hn::GetLane(hn::MaxOfLanes(floats, largest));
  float scale = extreme / 127.0f, inverse = 127.0f / extreme;
  if (!hn::AllTrue(floats, finite)) {
    scale = std::numeric_limits<float>::quiet_NaN();
    inverse = 0.0f;
  } else if (extreme < 1e-30f) {  // 127 / extreme must not overflow; what is so small counts as nothing
    scale = inverse = 0.0f;
  }
  to.scales[at] = scale;
  auto sum = hn::Zero(ints);
  for (int v = 0; v < kVectors; ++v) {
    const auto value = hn::LoadU(floats, x + v * kLanes);
    const auto scaled = hn::IfThenElseZero(finite, hn::Mul(value, hn::Set(floats, inverse)));
    const auto quant = hn::NearestInt(scaled);
    hn::StoreU(hn::DemoteTo(Bytes(), quant), Bytes(), quants + v * kLanes);
    sum = hn::Add(sum, quant);
    if ((v + 1) * kHalves % kVectors != 0) continue;
    const std::int64_t place = at * kHalves + (v + 1) * kHalves / kVectors - 1;
    const std::int32_t total = hn::GetLane(hn::SumOfLanes(ints, sum));
    if (to.starts != nullptr) {
      to.starts[place] = -to.offset * total;
    } else {
      to.scaled_sums[place] = scale * static_cast<float>(total);
    }
    sum = hn::Zero(ints);
  }
}

void round_row(const float* x, std::int64_t blocks, const RoundedRow& to) {
  for (std::int64_t b = 0; b < blocks; ++b, x += kIntegerBlock) {
    if (to.halves == 2) {
      round_block<2>(x, b * to.stride, to);
    } else {
      round_block<1>(x, b * to.stride, to);
    }
  }
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::linear {
namespace {

HWY_EXPORT(round_row);

}  // namespace

QuantizedRows::QuantizedRows(const LinearConfig& config, int halves)
    : memory_(config.place, kRowsRegion,
              bytes_for(config.max_tokens * (config.weight.cols / kIntegerBlock), halves)) {
  layout_.halves = halves;
}

void QuantizedRows::assign(const Tensor& x, RowLayout layout, int threads) {
  simd_level();  // reads RUNG_SIMD before the first dispatch
  tokens_ = x.rows;
  blocks_ = x.cols / kIntegerBlock;
  const std::int64_t n = tokens_ * blocks_;
  assert(layout.halves == layout_.halves && bytes_for(n, layout.halves) <= memory_.bytes());
  layout_ = layout;
  quants_ = static_cast<std::int8_t*>(memory_.data());
  scales_ = reinterpret_cast<float*>(quants_ + n * kIntegerBlock);
  float* const last = scales_ + n;
  starts_ = layout.offset != 0 ? reinterpret_cast<std::int32_t*>(last) : nullptr;
  scaled_sums_ = layout.offset != 0 ? nullptr : last;
  parallel_for(threads, tokens_, [&](std::int64_t t) {
    const std::int64_t first = t - t % layout.tile;
    const std::int64_t together = std::min<std::int64_t>(layout.tile, tokens_ - first);
    const std::int64_t at = first * blocks_ + (t - first);
    HWY_DYNAMIC_DISPATCH(round_row)
    (x.ptr<float>(t), blocks_,
     {quants_ + at * kIntegerBlock, scales_ + at, starts_ != nullptr ? starts_ + at * layout.halves : nullptr,
      scaled_sums_ != nullptr ? scaled_sums_ + at * layout.halves : nullptr, together, layout.halves,
      layout.offset});
  });
}

}  // namespace rung::linear
#endif
