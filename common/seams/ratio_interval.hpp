#pragma once
// Seam `ratio_interval`: how many times as fast one variant is as another, and how certain that is.
//
// Both variants run once in each round, one directly after the other, so a machine that becomes slower for a
// minute slows both. The estimate uses the seconds of all rounds. The interval contains the true ratio in a
// share `confidence` of all comparisons.
//
// Thread safety: a const object may be used from several threads.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace rung {

struct RatioIntervalConfig {
  double confidence = 0.95;  // between 0.5 and 0.999
  int resamples = 2000;      // of a bootstrap, 100 to 100,000
  std::uint64_t seed = 1;    // of a bootstrap, which therefore always gives the same interval

  std::string describe() const { return fmt::format("intervals of {} % confidence", 100 * confidence); }
};

struct RatioEstimate {
  double ratio = 1;  // times as fast: above 1, the second variant needs less time than the first
  double low = 1, high = 1;
};

class RatioInterval {
 public:
  static constexpr std::string_view kSeam = "ratio_interval";
  using Config = RatioIntervalConfig;

  virtual ~RatioInterval() = default;

  /// Estimates the ratio from the seconds of each round: first_s[i] and second_s[i] were measured in round i.
  /// With one round, the interval is from 0 to infinity. REQUIRES: both have the same size, at least 1, and
  /// all values are finite and positive.
  virtual RatioEstimate estimate(std::span<const double> first_s, std::span<const double> second_s) const = 0;
};

}  // namespace rung
