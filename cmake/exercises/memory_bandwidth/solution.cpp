// A learner's rung that passes: sixteen sums per piece, pieces on all threads. The test of the exercise flow
// puts it in the place of 01_challenges/memory_bandwidth/mine.cpp on a scratch copy.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

float mine(std::span<const float> data, int threads) {
  return sum_pieces(data, threads, [](const float* from, std::int64_t n) {
    float sums[16] = {};
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
      for (int c = 0; c < 16; ++c) sums[c] += from[i + c];
    }
    float sum = 0;
    for (; i < n; ++i) sum += from[i];
    for (const float each : sums) sum += each;
    return sum;
  });
}

}  // namespace rung::memory_bandwidth
