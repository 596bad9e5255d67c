// Your reader of memory, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises memory_bandwidth          builds this file and judges all steps
//   rung exercises memory_bandwidth --hint   shows one hint for the step that does not pass yet
//
// Every function reads n numbers, data[0] to data[n - 1], each of them once. n can be 0, it need not be a
// multiple of 8, and `data` can begin at any address. The judge puts NaN before and after the numbers, so the
// result is NaN if you read outside.

#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 01_challenges/memory_bandwidth/mine.cpp", function));
}

}  // namespace

// Step 1. Eight sums whose additions do not wait for each other. Writes eight numbers to `sums`, which is not
// initialized before the call. Add up in a local array and copy it at the end: `sums` could overlap `data`,
// so the compiler would have to store every sum after every addition. Test: memory_bandwidth.mine.1
//   sums[c] = sum of all data[i] for which i % 8 == c
void my_chains([[maybe_unused]] const float* data, [[maybe_unused]] std::int64_t n,
               [[maybe_unused]] float* sums) {
  not_started("my_chains()");
}

// Step 2. Reads at eight places at the same time. The array has eight parts, one after the other, of
// part = n / 8 numbers each, rounded down. The numbers after the eighth part are added to the last sum. In
// each round, read one number of every part. Test: memory_bandwidth.mine.2
//   sums[c] = sum of data[c * part] to data[(c + 1) * part - 1]
//   sums[7] also includes data[8 * part] to data[n - 1]
void my_streams([[maybe_unused]] const float* data, [[maybe_unused]] std::int64_t n,
                [[maybe_unused]] float* sums) {
  not_started("my_streams()");
}

// Step 3. Returns the sum of all numbers, and uses all threads. Use sum_pieces() of memory_bandwidth.hpp: it
// cuts the array into pieces, calls sum(piece, count) for each of them, on several threads, and adds up the
// results in order. `sum` is a function or a lambda that returns the sum of piece[0] to piece[count - 1] as a
// float; the functions of the steps 1 and 2 do most of its work. It runs on several threads at once, so keep
// the eight sums inside it. The result must have the same bits for every number of threads.
// Test: memory_bandwidth.mine.3
float mine([[maybe_unused]] std::span<const float> data, [[maybe_unused]] int threads) {
  not_started("mine()");
}

}  // namespace rung::memory_bandwidth
