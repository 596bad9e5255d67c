#pragma once
// Seam `quantile`: the value below which a share of all values lies.
//
// P99 of a million latencies, from all of them or from a sketch of fixed size. The definition is nearest rank
// (core/percentile.hpp): the smallest value with at least a share p of all at or below it.
//
// Thread safety: none.

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace rung {

struct QuantileConfig {
  double relative_error = 0.01;  // of a value, for sketches that bound that
  int compression = 200;         // how fine a sketch of ranks is; its size grows with it

  std::string describe() const { return fmt::format("quantiles to within {} %", 100 * relative_error); }
};

class Quantile {
 public:
  static constexpr std::string_view kSeam = "quantile";
  using Config = QuantileConfig;

  virtual ~Quantile() = default;

  /// One more value: finite and not negative (a time).
  virtual void add(double value) = 0;
  /// The value at share `p`, 0 .. 1; 0 when there is none yet. May rearrange what it keeps.
  virtual double value(double p) = 0;
  /// Bytes that it keeps.
  virtual std::size_t bytes() const = 0;
};

}  // namespace rung
