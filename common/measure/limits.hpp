#pragma once
// The limits of this machine, with the read bandwidth measured by a rung of seam `bandwidth`, and the words
// for them.

#include <map>
#include <span>
#include <string>

#include "core/machine.hpp"
#include "core/registry.hpp"

namespace rung {

/// Returns the read loop of the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a rung
/// that does not exist.
ReadLoop read_loop(const Registry& registry, const std::string& bandwidth, int threads);

/// Calls machine_limits() with the rung called `bandwidth` ("auto": the fastest). Throws UsageError for a
/// rung that does not exist.
MachineLimits limits_of_machine(const Registry& registry, const std::string& bandwidth, int threads,
                                bool remeasure = false);

/// Returns the fastest arithmetic of the rungs of seam `linear`, named as Engine::rungs() names them
/// ("packed+simd"). Throws UsageError for a rung that does not exist.
Arithmetic arithmetic_of(const Registry& registry, const std::string& linear);

/// One limit of the machine.
struct Rate {
  double per_s = 0;       // operations or bytes per second
  const char* name = "";  // as JSON has it: "read_bandwidth", "fma_rate", "int8_rate", "bf16_rate",
                          // "int8_tile_rate", "bf16_tile_rate"
};
/// The limit of products in this arithmetic. For a machine without tiles, returns that of vectors, and for a
/// machine without bfloat16 that of float32.
Rate rate_of(const MachineLimits& limits, Arithmetic arithmetic);

/// The least that a call must move and compute.
struct LimitedWork {
  double bytes = 0;
  double flops = 0;          // at the rate of `arithmetic`
  double float32_flops = 0;  // in addition to `flops`
  Arithmetic arithmetic = Arithmetic::float32;
};
/// The limit that bounds a call, and the share of it that the call reached.
struct NearestLimit {
  Rate limit;        // "read_bandwidth" or a rate of arithmetic
  double share = 0;  // 0.5: half as fast as the limit allows. The median of the shares of all rounds
};
/// Computes each round's share with the limits of that round: limits[i] was measured when a call took
/// seconds[i]. REQUIRES: both have the same size, at least 1.
NearestLimit nearest_limit(const LimitedWork& work, std::span<const MachineLimits> limits,
                           std::span<const double> seconds);

/// Returns the limits by the names of Rate, without those that this machine does not have.
std::map<std::string, double> rates_of(const MachineLimits& limits);
/// Returns the limits that rates_of() has returned.
MachineLimits limits_from(const std::map<std::string, double>& rates);

// The words for limits, which all commands share. docs/limit_words.py has the same words for the lessons.

/// "19.9 GB/s read", "180.1 GFLOP/s FMA", "700.3 GOP/s int8".
std::string describe(const Rate& limit);
/// "53 % of read", "104 % of FMA".
std::string describe(const NearestLimit& nearest);
/// "19.9 GB/s read, 180 GFLOP/s float32 FMA, 700 GOP/s int8".
std::string describe(const MachineLimits& limits);

}  // namespace rung
