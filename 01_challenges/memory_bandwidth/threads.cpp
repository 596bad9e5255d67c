// Rung 3 of `bandwidth`: all cores. A core can wait for a limited number of cache lines at a time (its fill
// buffers), so one alone seldom fills the memory bus: two have twice as many lines under way.
// The sums of pieces of fixed length are added in order: the same bits for any number of threads.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

float threads(std::span<const float> data, int threads) { return sum_pieces(data, threads, vector_sum); }

}  // namespace rung::memory_bandwidth
