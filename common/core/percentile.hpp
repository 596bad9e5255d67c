#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace rung {

/// Returns the index, counted from 0, of the nearest-rank percentile in `count` sorted values. It is the
/// first index such that at least a share `p` (0 .. 1) of all values is at or before it. REQUIRES: count > 0.
inline std::size_t nearest_rank(std::size_t count, double p) {
  const double rank = std::ceil(p * static_cast<double>(count));
  return std::min(static_cast<std::size_t>(std::max(rank, 1.0)), count) - 1;
}

/// Returns the nearest-rank percentile of `values`: the smallest value such that at least a share `p` (from 0
/// to 1) of all values is equal or smaller. Returns 0 if there are no values.
inline double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(nearest_rank(values.size(), p));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace rung
