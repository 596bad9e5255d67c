#pragma once
// Seam `quantile`: the value below which a share of all values lies.
//
// For example, P99 of a million latencies, computed from all of them or from a sketch of fixed size. The
// definition is nearest rank (core/percentile.hpp): the smallest value such that at least a share p of all
// values are equal or smaller.
//
// Thread safety: none.

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/core.h>

namespace rung {

struct QuantileConfig {
  double relative_error = 0.01;  // for sketches that limit the relative error of a value
  int compression = 200;         // for sketches that limit the error of the rank; larger is more accurate

  std::string describe() const { return fmt::format("quantiles to within {} %", 100 * relative_error); }
};

class Quantile {
 public:
  static constexpr std::string_view kSeam = "quantile";
  using Config = QuantileConfig;

  virtual ~Quantile() = default;

  /// Adds a value, which is finite and not negative (a time).
  virtual void add(double value) = 0;
  /// Returns the value at share `p` (0 to 1), or 0 if there are no values yet. May rearrange what it keeps.
  virtual double value(double p) = 0;
  /// Returns the bytes of memory that the stored values occupy.
  virtual std::size_t bytes() const = 0;
};

}  // namespace rung
