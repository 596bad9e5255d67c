#pragma once
// What this machine is and what it can do at best: the limits that every speed is a share of.

#include <string>

namespace rung {

struct MachineLimits {
  double read_bytes_per_s = 0;  // all threads summing float32 arrays far larger than the caches
  double fma_flops_per_s = 0;   // all threads in independent float32 fused multiply-adds (2 flops each)
};

/// "Intel(R) Xeon(R) Processor, 2 processors"; "unknown processor" where the system does not say.
std::string machine_name();

/// Measures both limits with `threads` threads at the SIMD level in force: the median of several
/// passes of about 0.1 s each. Takes two seconds and up to 1 GiB of memory.
MachineLimits measure_limits(int threads);

/// The limits of this machine from the cache file ($XDG_CACHE_HOME or ~/.cache, rung/limits.json), measured
/// and written there when it has none for this processor, SIMD level and thread count, or `remeasure`.
/// A cache that cannot be read or written only costs the measurement.
MachineLimits machine_limits(int threads, bool remeasure = false);

}  // namespace rung
