// Rung 2: nearly all tokens are looked at once and never copied.
//
// One pass in vector registers takes the largest logit of every block of 64. The k-th largest of these
// maxima is at most the k-th largest logit, so blocks below it hold nothing that top-k needs: a few
// blocks are left. Where a total is needed, the sum of masses, it is added up in vector registers too:
// whole numbers, hence the same total as naive's, and the same token.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "03_techniques/sampling/simd.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/simd.hpp"
#include "mass.hpp"
#include "sampling.hpp"
#include "select.hpp"

HWY_BEFORE_NAMESPACE();
namespace rung::sampling::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kBlock = 64;

/// maxima[b] = the largest of logits[64 b .. 64 b + 63]. False when one of them is NaN or +infinity.
bool block_maxima(const float* logits, std::size_t n, float* maxima) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto largest_finite = hn::Set(d, std::numeric_limits<float>::max());
  auto valid = hn::FirstN(d, lanes);  // every lane
  bool tail_valid = true;
  for (std::size_t i = 0; i < n; i += kBlock) {
    if (n - i < kBlock) {
      float largest = logits[i];
      for (std::size_t j = i; j < n; ++j) {
        tail_valid = tail_valid && logits[j] <= std::numeric_limits<float>::max();
        largest = std::max(largest, logits[j]);
      }
      maxima[i / kBlock] = largest;
      break;
    }
    auto largest = hn::LoadU(d, logits + i);
    valid = hn::And(valid, hn::Le(largest, largest_finite));  // false for NaN
    for (std::size_t j = lanes; j < kBlock; j += lanes) {
      const auto x = hn::LoadU(d, logits + i + j);
      valid = hn::And(valid, hn::Le(x, largest_finite));
      largest = hn::Max(largest, x);
    }
    maxima[i / kBlock] = hn::GetLane(hn::MaxOfLanes(d, largest));
  }
  return tail_valid && hn::AllTrue(d, valid);
}

/// mass_of() in every lane: the same operations in the same order, so the same numbers.
template <class D, class V>
HWY_INLINE auto masses_of(D d, V gap) {
  using namespace exponential;
  const hn::Rebind<std::uint64_t, D> du;
  gap = hn::Min(gap, hn::Set(d, kMaxGap));
  const auto round = hn::Set(d, kRound);
  const auto shifted = hn::Add(hn::Mul(gap, hn::Set(d, kLog2e)), round);
  const auto k = hn::Sub(shifted, round);
  const auto r = hn::Sub(hn::Sub(gap, hn::Mul(k, hn::Set(d, kLn2High))), hn::Mul(k, hn::Set(d, kLn2Low)));
  auto series = hn::Set(d, kSeries[0]);
  for (int i = 1; i < 13; ++i) series = hn::Add(hn::Mul(series, r), hn::Set(d, kSeries[i]));
  const auto power = hn::Sub(hn::BitCast(du, shifted), hn::BitCast(du, round));
  const auto exponent = hn::ShiftLeft<52>(hn::Sub(hn::Set(du, 1023 + kMassBits), power));
  const auto integer = hn::Set(d, kInteger);
  const auto mass = hn::Add(hn::Mul(series, hn::BitCast(d, exponent)), integer);
  return hn::Sub(hn::BitCast(du, mass), hn::BitCast(du, integer));
}

/// masses[b] = the mass of the tokens 64 b .. 64 b + 63 together; returns the total.
std::uint64_t block_masses(const float* logits, std::size_t n, const Gaps& gaps, std::uint64_t* masses) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const hn::Rebind<std::uint64_t, decltype(d)> du;
  const auto best = hn::Set(d, gaps.best);
  const auto inverse = hn::Set(d, gaps.inverse_temperature);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < n; i += kBlock) {
    std::uint64_t sum = 0;
    if (n - i < kBlock) {
      for (std::size_t j = i; j < n; ++j) sum += mass_of(gaps.of(logits[j]));
    } else {
      auto sums = hn::Zero(du);
      for (std::size_t j = i; j < i + kBlock; j += hn::Lanes(d)) {
        const auto x = hn::PromoteTo(d, hn::LoadU(df, logits + j));
        sums = hn::Add(sums, masses_of(d, hn::Mul(hn::Sub(best, x), inverse)));
      }
      sum = hn::GetLane(hn::SumOfLanes(du, sums));
    }
    masses[i / kBlock] = sum;
    total += sum;
  }
  return total;
}

}  // namespace rung::sampling::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rung::sampling {
namespace {

HWY_EXPORT(block_maxima);
HWY_EXPORT(block_masses);

constexpr std::size_t kBlock = 64;

class SimdSampler final : public RowSampler {
 public:
  explicit SimdSampler(const SamplerConfig& config) : RowSampler(config) {
    simd_level();  // tells Highway what RUNG_SIMD asks for
    const std::size_t blocks = (static_cast<std::size_t>(config.vocab_size) + kBlock - 1) / kBlock;
    maxima_.resize(blocks);
    ranked_.resize(blocks);
    masses_.resize(blocks);
  }

 private:
  /// Fills maxima_; the best token is in the first block that has the largest.
  std::int32_t best(std::span<const float> logits) override {
    const bool valid = HWY_DYNAMIC_DISPATCH(block_maxima)(logits.data(), logits.size(), maxima_.data());
    const auto block = std::max_element(maxima_.begin(), maxima_.end());
    if (!valid || std::isinf(*block)) fail_on_bad_logits(logits);
    std::size_t i = static_cast<std::size_t>(block - maxima_.begin()) * kBlock;
    while (logits[i] != *block) ++i;
    return static_cast<std::int32_t>(i);
  }

  // After best() of the same logits.
  std::int32_t draw(std::span<const float> logits, std::int32_t best, const SamplingParams& params,
                    double u) override {
    const Gaps gaps(logits[static_cast<std::size_t>(best)], params.temperature);
    const bool all = params.top_k == 0 && params.top_p == 1 && params.min_p == 0 && params.typical_p == 1;
    if (all) return draw_from_all(logits, gaps, u);

    collect(logits, params, gaps);
    if (params.min_p > 0) select::keep_min_p(list_, params.min_p);
    if (params.typical_p < 1) select::keep_typical(list_, params.typical_p, gaps);
    return select::draw(list_, u);
  }

  /// A logit that at least k tokens reach and, if they are spread over the blocks, few more than k.
  float reached_by(std::size_t k) {
    if (k > maxima_.size()) return -std::numeric_limits<float>::infinity();
    ranked_ = maxima_;
    const auto kth = ranked_.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(ranked_.begin(), kth, ranked_.end(), std::greater<>());
    return *kth;
  }

  /// The logit that lies `gap` nats below the best one, or a little lower: whoever gathers by it must judge
  /// the tokens at the border by their masses.
  static float logit_at(double gap, const Gaps& gaps) {
    constexpr double kLowest = std::numeric_limits<float>::lowest();
    const auto logit =
        static_cast<float>(std::max(kLowest, gaps.best - (gap + 0.001) / gaps.inverse_temperature));
    return std::nextafter(logit, -std::numeric_limits<float>::infinity());
  }

  /// list_ = the tokens whose logit is at least `least`, ascending ids; returns their mass.
  std::uint64_t gather(std::span<const float> logits, float least, const Gaps& gaps) {
    list_.clear();
    std::uint64_t total = 0;
    for (std::size_t block = 0; block < maxima_.size(); ++block) {
      if (maxima_[block] < least) continue;
      const std::size_t end = std::min(logits.size(), (block + 1) * kBlock);
      for (std::size_t i = block * kBlock; i < end; ++i) {
        if (logits[i] < least) continue;
        const std::uint64_t mass = mass_of(gaps.of(logits[i]));
        if (mass == 0) continue;
        total += mass;
        list_.push_back({mass, logits[i], static_cast<std::int32_t>(i)});
      }
    }
    return total;
  }

  /// list_ = what top-k and top-p keep; without either, a list that min-p or typical can start from.
  void collect(std::span<const float> logits, const SamplingParams& params, const Gaps& gaps) {
    if (params.top_k > 0) {
      gather(logits, reached_by(static_cast<std::size_t>(params.top_k)), gaps);
      select::keep_top_k(list_, params.top_k);
      if (params.top_p < 1) select::keep_top_mass(list_, share_of(params.top_p, select::total_mass(list_)));
    } else if (params.top_p < 1) {
      const std::uint64_t total = mass_by_block(logits, gaps);
      const std::uint64_t need = share_of(params.top_p, total);
      // The nucleus may be small: try what reaches the 64th block maximum, then the 256th, and so on.
      std::size_t k = 64;
      while (k <= maxima_.size() && gather(logits, reached_by(k), gaps) < need) k *= 4;
      // Tokens of less than (1 - p) * total / vocabulary hold less than 1 - p all together: the others do.
      if (k > maxima_.size()) {
        const double rest = (1.0 - static_cast<double>(params.top_p)) * static_cast<double>(total);
        const double least = rest / static_cast<double>(logits.size());
        gather(logits, logit_at(std::log(static_cast<double>(kFullMass) / least), gaps), gaps);
      }
      select::keep_top_mass(list_, need);
    } else if (params.min_p > 0) {
      gather(logits, logit_at(-std::log(static_cast<double>(params.min_p)), gaps), gaps);
    } else {
      gather(logits, -std::numeric_limits<float>::infinity(), gaps);
    }
  }

  std::uint64_t mass_by_block(std::span<const float> logits, const Gaps& gaps) {
    return HWY_DYNAMIC_DISPATCH(block_masses)(logits.data(), logits.size(), gaps, masses_.data());
  }

  std::int32_t draw_from_all(std::span<const float> logits, const Gaps& gaps, double u) {
    std::uint64_t left = target_of(u, mass_by_block(logits, gaps));
    std::size_t block = 0;
    while (left >= masses_[block]) left -= masses_[block++];
    std::size_t i = block * kBlock;
    for (std::uint64_t mass; left >= (mass = mass_of(gaps.of(logits[i]))); ++i) left -= mass;
    return static_cast<std::int32_t>(i);
  }

  std::vector<float> maxima_;          // [blocks] largest logit of each block of 64 tokens
  std::vector<float> ranked_;          // [blocks] scratch
  std::vector<std::uint64_t> masses_;  // [blocks]
  std::vector<Candidate> list_;
};

}  // namespace

std::unique_ptr<Sampler> make_simd(const SamplerConfig& config) {
  return std::make_unique<SimdSampler>(config);
}

}  // namespace rung::sampling
#endif  // HWY_ONCE
