// Rung 0 of `bandwidth`: one loop, one sum. Every addition waits for the one before it, three or four
// cycles, and in that time four bytes are read. The memory is idle for most of it.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

float naive(std::span<const float> data, int /*threads*/) {
  float sum = 0;
  for (const float x : data) sum += x;
  return sum;
}

}  // namespace rung::memory_bandwidth
