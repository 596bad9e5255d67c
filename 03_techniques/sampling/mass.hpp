#pragma once
// Probabilities before they are normalized, as whole numbers.
//
// exp(-gap), times 2^44, rounded to an integer: that is a token's mass. Sums of integers do not round,
// so they come out the same in any order, and rungs that add in different orders draw the same token by
// construction. What it costs: tokens e^-31 times less probable than the best one have mass 0 and are
// never drawn, and every other probability is off by at most 2^-45 of the largest.

#include <bit>
#include <cmath>
#include <cstdint>

namespace rung::sampling {

constexpr int kMassBits = 44;
constexpr std::uint64_t kFullMass = std::uint64_t{1} << kMassBits;  // the mass of the best token
constexpr int kMaxVocab = (1 << 20) - 1;                            // so that a total fits 64 bits

/// The numbers of exp(-gap): the vector version in simd.cpp does the same operations in the same order.
namespace exponential {
constexpr double kMaxGap = 64.0;  // beyond it every mass is 0
constexpr double kLog2e = 1.4426950408889634;
constexpr double kLn2High = 0x1.62e42fee00000p-1;  // ends in zeros: times a small integer it is exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kRound = 0x1.8p52;    // x + kRound - kRound is x rounded to an integer
constexpr double kInteger = 0x1.0p52;  // the low bits of x + kInteger are x as an integer
/// 1/12!, -1/11!, ..., 1/2!, -1, 1: the series of exp(-r), highest power first. |r| <= ln(2)/2 leaves an
/// error below 2^-52.
constexpr double kSeries[] = {
    1.0 / 479001600, -1.0 / 39916800, 1.0 / 3628800, -1.0 / 362880, 1.0 / 40320, -1.0 / 5040, 1.0 / 720,
    -1.0 / 120,      1.0 / 24,        -1.0 / 6,      1.0 / 2,       -1.0,        1.0};
}  // namespace exponential

/// x rounded to the nearest integer, halves to even. REQUIRES: 0 <= x < 2^51.
inline std::uint64_t whole(double x) {
  using namespace exponential;
  return std::bit_cast<std::uint64_t>(x + kInteger) - std::bit_cast<std::uint64_t>(kInteger);
}

/// exp(-gap) * 2^44, rounded to an integer. gap in nats, >= 0, infinity allowed.
/// exp(-gap) = 2^-k * exp(-r) with k = round(gap / ln 2) and r = gap - k ln 2 (Cody, Waite 1980).
inline std::uint64_t mass_of(double gap) {
  using namespace exponential;
  gap = gap < kMaxGap ? gap : kMaxGap;
  const double shifted = gap * kLog2e + kRound;
  const double k = shifted - kRound;
  const double r = (gap - k * kLn2High) - k * kLn2Low;
  double series = kSeries[0];
  for (int i = 1; i < 13; ++i) series = series * r + kSeries[i];
  const std::int64_t power = std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kRound);
  return whole(series * std::bit_cast<double>((1023 + kMassBits - power) << 52));
}

/// Where a token stands against the best one: gap = (best logit - its logit) / temperature, in nats.
/// p = exp(-gap) / sum of exp(-gap). A masked token's gap is infinite.
struct Gaps {
  double best;
  double inverse_temperature;
  Gaps(float best_logit, float temperature)
      : best(static_cast<double>(best_logit)), inverse_temperature(1.0 / static_cast<double>(temperature)) {}
  double of(float logit) const { return (best - static_cast<double>(logit)) * inverse_temperature; }
};

/// The least mass that is at least the share p of a total. p in (0, 1).
inline std::uint64_t share_of(float p, std::uint64_t total) {
  return static_cast<std::uint64_t>(std::ceil(static_cast<double>(p) * static_cast<double>(total)));
}

/// Where the uniform number u in [0, 1) falls in a total: the token drawn is the first whose cumulated
/// mass exceeds this. REQUIRES: total > 0.
inline std::uint64_t target_of(double u, std::uint64_t total) {
  const auto target = static_cast<std::uint64_t>(u * static_cast<double>(total));
  return target < total ? target : total - 1;  // total may have been rounded up on its way to a double
}

/// A token that may still be drawn.
struct Candidate {
  std::uint64_t mass;
  float logit;  // after bias and penalties
  std::int32_t id;
};

/// The order of the vocabulary: most probable first, the lower id first among equals.
inline bool more_probable(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

inline bool lower_id(const Candidate& a, const Candidate& b) { return a.id < b.id; }

}  // namespace rung::sampling
