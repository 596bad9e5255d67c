#pragma once
// What this machine is and what it can do at best: the limits that every speed is a share of.

#include <functional>
#include <span>
#include <string>

#include "core/large_array.hpp"

namespace rung {

struct MachineLimits {
  double read_bytes_per_s = 0;  // all threads reading float32 arrays far larger than the caches
  double fma_flops_per_s = 0;   // all threads in independent float32 fused multiply-adds (2 flops each)
  /// Products of bytes, added up in 32 bits (2 operations each), in the shortest exact sequence that the SIMD
  /// level has: on AVX2 that is the one for weights of 4 bits, and weights of 8 bits need 1.4 times as many
  /// instructions.
  double int8_ops_per_s = 0;
  double bf16_flops_per_s = 0;  // products of bfloat16 added up in float32; 0: no instruction for that
  // The same two by matrix tiles (Intel AMX), without loads and stores; 0: no tiles at this SIMD level.
  double int8_tile_ops_per_s = 0;
  double bf16_tile_flops_per_s = 0;
};

/// How the read bandwidth is measured: a rung of seam `bandwidth`, which core cannot know.
struct ReadLoop {
  std::string name;                                  // of the rung; limits are cached under it
  std::function<float(std::span<const float>)> sum;  // reads everything once
};

/// "Intel(R) Xeon(R) Processor, 2 processors"; "unknown processor" where the system does not say.
std::string machine_name();

/// Measures the limits with `threads` threads at the SIMD level in force, a pass at a time: a machine that
/// others share drifts, and a share of a limit means something only where the limit was measured in the same
/// moment. Takes 768 MiB of memory. `read` should use as many threads.
class LimitsMeter {
 public:
  LimitsMeter(int threads, ReadLoop read);
  /// Every limit once, in about 0.2 s.
  MachineLimits pass();

 private:
  int threads_;
  ReadLoop read_;
  LargeArray data_;
};

/// Of each limit the median. REQUIRES: at least one.
MachineLimits median(std::span<const MachineLimits> passes);

/// The limits of this machine from the cache file ($XDG_CACHE_HOME or ~/.cache, rung/limits.json), measured
/// and written there when it has none for this processor, SIMD level, thread count and read loop, or
/// `remeasure`. A cache that cannot be read or written only costs the measurement.
MachineLimits machine_limits(int threads, const ReadLoop& read, bool remeasure = false);

}  // namespace rung
