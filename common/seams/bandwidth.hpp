#pragma once
// Seam `bandwidth`: reading a large array once, which is what decoding a token does with the weights.
//
// The read limit that `rung bench` and `rung ladder --measure` print is measured with a rung of this seam.
// Sums are what keeps the compiler from dropping the reads; they are also how a rung is judged.
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

  /// The sum of `data`, of which every number is read once. In which order it is added depends on the length
  /// alone: the bits are the same for every number of threads. Any length and any address will do.
  virtual float sum(std::span<const float> data) const = 0;
};

}  // namespace rung
