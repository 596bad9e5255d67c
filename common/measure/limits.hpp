#pragma once
// The limits of this machine, with reading measured by a rung of seam `bandwidth`.

#include <span>
#include <string>

#include "core/machine.hpp"
#include "core/registry.hpp"

namespace rung {

/// Reading by the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a rung that does not
/// exist.
ReadLoop read_loop(const Registry& registry, const std::string& bandwidth, int threads);

/// machine_limits() with the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a rung that
/// does not exist.
MachineLimits limits_of_machine(const Registry& registry, const std::string& bandwidth, int threads,
                                bool remeasure = false);

/// What rungs of seam linear, as Engine::rungs() names them ("packed+simd"), multiply: the fastest of theirs.
/// Throws UsageError for a rung that does not exist.
Arithmetic arithmetic_of(const Registry& registry, const std::string& linear);

/// A rate of the machine's, as commands name it.
struct Rate {
  double per_s = 0;       // operations, or bytes
  const char* name = "";  // "int8_rate"
};
/// That of float32 where the machine has none for bfloat16.
Rate rate_of(const MachineLimits& limits, Arithmetic arithmetic);

/// What a call moves and computes at least.
struct LimitedWork {
  double bytes = 0;
  double flops = 0;          // at the rate of `arithmetic`
  double float32_flops = 0;  // besides these
  Arithmetic arithmetic = Arithmetic::float32;
};
/// The limit that such a call comes to first, and how near it came.
struct NearestLimit {
  Rate limit;        // "read_bandwidth" in bytes, or a rate
  double share = 0;  // the median of the rounds' shares, each of the limits of its round
};
/// limits[i] are those of the machine when a call took seconds[i]. REQUIRES: as many of both, at least one.
NearestLimit nearest_limit(const LimitedWork& work, std::span<const MachineLimits> limits,
                           std::span<const double> seconds);

}  // namespace rung
