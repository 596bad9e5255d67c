#pragma once
// Seam `bandwidth`: reads a large array once, as decoding a token does with the weights.
//
// `rung bench` and `rung ladder --measure` print a read limit, which they measure with a rung of this seam.
// A rung adds up what it reads, so that the compiler cannot remove the reads. The sum also shows whether the
// rung is correct.
//
// Thread safety: sum() is const and may be called by many threads.

#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace rung {

struct BandwidthConfig {
  int threads = 1;

  std::string describe() const { return fmt::format("reading with {} threads", threads); }
};

class Bandwidth {
 public:
  static constexpr std::string_view kSeam = "bandwidth";
  using Config = BandwidthConfig;

  virtual ~Bandwidth() = default;

  /// Returns the sum of `data` and reads every number once. The order of the additions depends on the length
  /// alone, so the result is bitwise the same for every number of threads. `data` may have any length and any
  /// address.
  virtual float sum(std::span<const float> data) const = 0;
};

}  // namespace rung
