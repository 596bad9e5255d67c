// Your rung. README.md in this folder says what it must do and which test judges it.
//
// Read all numbers once and return their sum. You can time each of these steps:
//   1. Use several sums, so that no addition waits for the one before it.
//   2. Write the sum of one piece. sum_pieces() in memory_bandwidth.hpp gives each thread its pieces.
//   3. Keep more bytes in flight at the same time: streams, prefetches, larger vectors.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

float mine([[maybe_unused]] std::span<const float> data, [[maybe_unused]] int threads) {
  throw NotStarted("bandwidth rung 'mine' is not started: write 01_challenges/memory_bandwidth/mine.cpp");
}

}  // namespace rung::memory_bandwidth
