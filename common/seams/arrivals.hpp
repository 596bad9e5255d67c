#pragma once
// Seam `arrivals`: when the next request comes.
//
// An arrival process gives the gaps between one request and the next. Its rate says how many come per second
// on average; its coefficient of variation (standard deviation of the gaps over their mean) says how
// unevenly: 0 is a clock, 1 people who do not know of each other, more than that bursts.
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
  double period_s = 60;  // of the day, for rungs whose rate rises and falls
  std::uint64_t seed = 1;

  std::string describe() const { return fmt::format("a coefficient of variation of {}", cv); }
};

class Arrivals {
 public:
  static constexpr std::string_view kSeam = "arrivals";
  using Config = ArrivalsConfig;

  virtual ~Arrivals() = default;

  /// Seconds until the next request, from the last one (at first: from time 0). Finite and not negative.
  virtual double gap() = 0;

  /// How many requests were to be expected from time 0 to `t` seconds: rate * t, unless the rate changes.
  virtual double expected(double t) const = 0;
};

/// Throws UsageError for rates and shapes that cannot be.
inline void check_arrivals(const ArrivalsConfig& c) {
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  if (!positive(c.rate)) fail_usage("the rate of arrivals is {}; it must be a finite number above 0", c.rate);
  if (!(c.cv >= 0 && c.cv <= 100)) {
    fail_usage("the coefficient of variation of the arrivals is {}; it must be from 0 to 100", c.cv);
  }
  if (!positive(c.period_s)) fail_usage("the period of the arrivals is {} s; it must be above 0", c.period_s);
}

}  // namespace rung
