#pragma once
// Seam `arrivals`: when the next request arrives.
//
// An arrival process returns the gaps between one request and the next. Its rate is the mean number of
// requests per second. Its coefficient of variation (standard deviation of the gaps divided by their mean) is
// 0 for constant gaps, 1 for independent requests, and above 1 for bursts.
//
// Thread safety: none. The gaps depend on the configuration and its seed alone.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "core/error.hpp"

namespace rung {

struct ArrivalsConfig {
  double rate = 1;       // requests per second, on average
  double cv = 1;         // coefficient of variation of the gaps
  double period_s = 60;  // seconds of one rise and fall of the rate, for rungs whose rate changes
  std::uint64_t seed = 1;

  std::string describe() const { return fmt::format("a coefficient of variation of {}", cv); }
};

class Arrivals {
 public:
  static constexpr std::string_view kSeam = "arrivals";
  using Config = ArrivalsConfig;

  virtual ~Arrivals() = default;

  /// Returns the seconds from the previous request to the next one, finite and not negative. The first gap
  /// starts at time 0.
  virtual double gap() = 0;

  /// Returns the expected number of requests from time 0 to `t` seconds: rate * t, unless the rate changes.
  virtual double expected(double t) const = 0;
};

/// Throws UsageError for invalid values.
inline void check_arrivals(const ArrivalsConfig& c) {
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  if (!positive(c.rate)) fail_usage("the rate of arrivals is {}; it must be a finite number above 0", c.rate);
  if (!(c.cv >= 0 && c.cv <= 100)) {
    fail_usage("the coefficient of variation of the arrivals is {}; it must be from 0 to 100", c.cv);
  }
  if (!positive(c.period_s)) fail_usage("the period of the arrivals is {} s; it must be above 0", c.period_s);
}

}  // namespace rung
