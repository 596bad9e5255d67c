#include "quantised_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/linear/quantised_rows.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "core/parallel.hpp"
#include "core/simd.hpp"

#ifndef RUNG_LINEAR_ROUNDED_BLOCK
#define RUNG_LINEAR_ROUNDED_BLOCK
namespace rung::linear {
struct RoundedBlock {
  float scale;
  std::int32_t sums[2];  // of the quants of each half
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

RoundedBlock round_block(const float* x, std::int8_t* quants) {
  const Floats floats;
  const Ints ints;
  auto largest = hn::Zero(floats), probe = hn::Zero(floats);
  for (int v = 0; v < kVectors; ++v) {
    const auto value = hn::LoadU(floats, x + v * kLanes);
    largest = hn::Max(largest, hn::Abs(value));
    probe =
        hn::MulAdd(value, hn::Zero(floats), probe);  // 0, or NaN once a value is not finite: Max may lose it
  }
  const float extreme = hn::GetLane(hn::MaxOfLanes(floats, largest));
  if (!(hn::GetLane(hn::SumOfLanes(floats, probe)) == 0.0f)) {
    std::fill_n(quants, kIntegerBlock, std::int8_t{0});
    return {std::numeric_limits<float>::quiet_NaN(), {0, 0}};
  }
  // 127 / extreme must not overflow; what is so small counts as nothing.
  const bool nothing = extreme < 1e-30f;
  const auto inverse = hn::Set(floats, nothing ? 0.0f : 127.0f / extreme);
  RoundedBlock result{nothing ? 0.0f : extreme / 127.0f, {0, 0}};
  for (int half = 0; half < 2; ++half) {
    auto sum = hn::Zero(ints);
    for (int v = half * kVectors / 2; v < (half + 1) * kVectors / 2; ++v) {
      const auto quant = hn::NearestInt(hn::Mul(hn::LoadU(floats, x + v * kLanes), inverse));
      hn::StoreU(hn::DemoteTo(Bytes(), quant), Bytes(), quants + v * kLanes);
      sum = hn::Add(sum, quant);
    }
    result.sums[half] = hn::GetLane(hn::SumOfLanes(ints, sum));
  }
  return result;
}

}  // namespace rung::linear::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::linear {
namespace {

HWY_EXPORT(round_block);

}  // namespace

void QuantisedRows::assign(const Tensor& x, RowLayout layout, int threads) {
  simd_level();  // reads RUNG_SIMD before the first dispatch
  tokens_ = x.rows;
  blocks_ = x.cols / kIntegerBlock;
  layout_ = layout;
  const std::int64_t n = tokens_ * blocks_;
  const auto grow = [](auto& memory, std::int64_t size) {
    memory.resize(std::max(memory.size(), static_cast<std::size_t>(size)));
  };
  grow(quants_, n * kIntegerBlock);
  grow(scales_, n);
  if (layout.offset != 0) {
    grow(starts_, n * layout.halves);
  } else {
    grow(scaled_sums_, n * layout.halves);
  }
  parallel_for(threads, tokens_, [&](std::int64_t t) {
    const std::int64_t first = t - t % layout.tile;
    const std::int64_t together = std::min<std::int64_t>(layout.tile, tokens_ - first);
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const std::int64_t at = first * blocks_ + b * together + (t - first);
      const RoundedBlock block = HWY_DYNAMIC_DISPATCH(round_block)(x.ptr<float>(t) + b * kIntegerBlock,
                                                                   quants_.data() + at * kIntegerBlock);
      scales_[static_cast<std::size_t>(at)] = block.scale;
      for (int h = 0; h < layout.halves; ++h) {
        const std::int32_t sum = layout.halves == 2 ? block.sums[h] : block.sums[0] + block.sums[1];
        const auto place = static_cast<std::size_t>(at * layout.halves + h);
        if (layout.offset != 0) {
          starts_[place] = -layout.offset * sum;
        } else {
          scaled_sums_[place] = block.scale * static_cast<float>(sum);
        }
      }
    }
  });
}

QuantisedRows& rows_of_this_thread() {
  thread_local QuantisedRows rows;
  return rows;
}

}  // namespace rung::linear
#endif
