// One right answer to the exercise of 01_challenges/memory_bandwidth; the judge of exercises compiles it as
// mine.cpp.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {

// Step 1. Eight sums whose additions do not wait for each other. Writes eight numbers to `sums`, which is not
// initialized before the call. Add up in a local array and copy it at the end: `sums` could overlap `data`,
// so the compiler would have to store every sum after every addition. Test: memory_bandwidth.mine.1
//   sums[c] = sum of all data[i] for which i % 8 == c
void my_chains(const float* data, std::int64_t n, float* sums) {
  float own[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int c = 0; c < 8; ++c) own[c] += data[i + c];
  }
  for (; i < n; ++i) own[i % 8] += data[i];
  std::copy_n(own, 8, sums);
}

// Step 2. Reads at eight places at the same time. The array has eight parts, one after the other, of
// part = n / 8 numbers each, rounded down. The numbers after the eighth part are added to the last sum. In
// each round, read one number of every part. Test: memory_bandwidth.mine.2
//   sums[c] = sum of data[c * part] to data[(c + 1) * part - 1]
//   sums[7] also includes data[8 * part] to data[n - 1]
void my_streams(const float* data, std::int64_t n, float* sums) {
  float own[8] = {};
  const std::int64_t part = n / 8;
  for (std::int64_t i = 0; i < part; ++i) {
    for (int c = 0; c < 8; ++c) own[c] += data[c * part + i];
  }
  for (std::int64_t i = 8 * part; i < n; ++i) own[7] += data[i];
  std::copy_n(own, 8, sums);
}

// Step 3. Returns the sum of all numbers, and uses all threads. Use sum_pieces() of memory_bandwidth.hpp: it
// cuts the array into pieces, calls sum(piece, count) for each of them, on several threads, and adds up the
// results in order. `sum` is a function or a lambda that returns the sum of piece[0] to piece[count - 1] as a
// float; the functions of the steps 1 and 2 do most of its work. It runs on several threads at once, so keep
// the eight sums inside it. The result must have the same bits for every number of threads.
// Test: memory_bandwidth.mine.3
float mine(std::span<const float> data, int threads) {
  return sum_pieces(data, threads, [](const float* piece, std::int64_t count) {
    float sums[8];
    my_streams(piece, count, sums);
    float total = 0;
    for (const float sum : sums) total += sum;
    return total;
  });
}

}  // namespace rung::memory_bandwidth
