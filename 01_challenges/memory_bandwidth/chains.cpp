// Rung 1 of `bandwidth`: eight sums instead of one. The additions of different sums do not wait for each
// other, so the processor starts one or two in every cycle. The compiler may not do this by itself: it
// changes the order of a floating-point sum.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

float chains(std::span<const float> data, int /*threads*/) {
  constexpr std::size_t kChains = 8;
  float sums[kChains] = {};
  const std::size_t whole = data.size() / kChains * kChains;
  for (std::size_t i = 0; i < whole; i += kChains) {
    for (std::size_t c = 0; c < kChains; ++c) sums[c] += data[i + c];
  }
  float sum = 0;
  for (std::size_t i = whole; i < data.size(); ++i) sum += data[i];
  for (const float chain : sums) sum += chain;
  return sum;
}

}  // namespace rung::memory_bandwidth
