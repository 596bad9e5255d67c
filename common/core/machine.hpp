#pragma once
// The name of this machine and its speed limits, with which measured speeds are compared.

#include <functional>
#include <span>
#include <string>

#include "core/large_array.hpp"

namespace rung {

struct MachineLimits {
  double read_bytes_per_s = 0;  // all threads read a float32 array far larger than the caches
  double fma_flops_per_s = 0;   // all threads run independent float32 fused multiply-adds (2 flops each)
  /// Products of bytes that are added in 32 bits (2 operations each), with the shortest exact sequence of
  /// instructions of the SIMD level. On AVX2, this is the sequence for 4-bit weights; 8-bit weights need 1.4
  /// times as many instructions.
  double int8_ops_per_s = 0;
  double bf16_flops_per_s = 0;  // products of bfloat16 that are added in float32; 0: no such instruction
  // The same products by matrix tiles (Intel AMX), without loads and stores; 0: no tiles at this SIMD level.
  double int8_tile_ops_per_s = 0;
  double bf16_tile_flops_per_s = 0;
};

/// The loop that measures the read bandwidth: a rung of the seam `bandwidth`, which core must not include.
struct ReadLoop {
  std::string name;                                  // name of the rung; part of the limits' key in the cache
  std::function<float(std::span<const float>)> sum;  // reads every number once
};

/// Returns the name of this machine: "Intel(R) Xeon(R) Processor, 2 processors". It begins with "unknown
/// processor" if the system does not report the processor.
std::string machine_name();

/// Measures the limits with `threads` threads at the current SIMD level, one pass at a time. The speed of a
/// shared machine changes over time, so a speed should be compared with a limit that was measured at the same
/// time. Uses 768 MiB of memory. `read` should use `threads` threads too. Throws Error if there is not enough
/// memory.
class LimitsMeter {
 public:
  LimitsMeter(int threads, ReadLoop read);
  /// Measures each limit once, in about 0.2 s. Throws Error if `read` does not read everything.
  MachineLimits pass();

 private:
  int threads_;
  ReadLoop read_;
  LargeArray data_;
};

/// Returns the median of each limit. REQUIRES: at least one pass.
MachineLimits median(std::span<const MachineLimits> passes);

/// Returns the limits of this machine from the cache file rung/limits.json in $XDG_CACHE_HOME or ~/.cache. If
/// the file has no limits for this processor, SIMD level, number of threads and read loop, or if `remeasure`
/// is true, measures the limits and writes them to the file. If the file cannot be read or written, the
/// limits are measured each time.
MachineLimits machine_limits(int threads, const ReadLoop& read, bool remeasure = false);

}  // namespace rung
