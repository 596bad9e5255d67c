// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/rng.hpp"
#include "memory_bandwidth.hpp"

namespace rung::memory_bandwidth {
namespace {

constexpr std::size_t kSums = 8;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using EightSums = void (*)(const float* data, std::int64_t n, float* sums);

/// A check of a function that writes eight sums. They are sums of small integers, which float32 adds exactly.
/// There is NaN on both sides of the data, and in `sums` before the call.
Trial check(std::string name, EightSums function, const std::vector<float>& data,
            std::vector<double> expected) {
  return step_check(std::move(name), [=](const std::string& name) -> Verdict {
    constexpr std::size_t kGuard = 64;
    std::vector<float> memory(data.size() + 2 * kGuard, kNan);
    std::copy(data.begin(), data.end(), memory.begin() + kGuard);
    std::vector<float> sums(kSums + 1, kNan);
    function(memory.data() + kGuard, static_cast<std::int64_t>(data.size()), sums.data());
    if (!std::isnan(sums.back())) {
      return Verdict().fail(rung::mismatch(name, fmt::format("{} numbers", data.size()), "sums[8]",
                                           "nothing written after the eight sums",
                                           fmt::format("{:.9g}", sums.back())));
    }
    return compare(name, {{"sum", kSums}}, std::span(sums).first(kSums), expected, std::vector<double>{0});
  });
}

/// 1, 2, ... n.
std::vector<float> counting(int n) {
  std::vector<float> numbers;
  for (int i = 1; i <= n; ++i) numbers.push_back(static_cast<float>(i));
  return numbers;
}

/// Integers from -8 to 7.
std::vector<float> random_integers(int n) {
  Rng rng(7);
  std::vector<float> numbers;
  for (int i = 0; i < n; ++i) numbers.push_back(static_cast<float>(rng.below(16)) - 8.0F);
  return numbers;
}

/// The sums of random integers; number i belongs to the sum sum_of(i).
template <class SumOf>
Trial random_check(int n, EightSums function, const SumOf& sum_of) {
  const std::vector<float> data = random_integers(n);
  std::vector<double> expected(kSums);
  for (std::size_t i = 0; i < data.size(); ++i) expected[sum_of(i)] += static_cast<double>(data[i]);
  return check(fmt::format("{} random integers", n), function, data, std::move(expected));
}

std::vector<Trial> chain_checks() {
  const auto make = [](std::string name, int n, std::vector<double> expected) {
    return check(std::move(name), my_chains, counting(n), std::move(expected));
  };
  return {
      make("1 to 8: one number per sum", 8, {1, 2, 3, 4, 5, 6, 7, 8}),
      make("1 to 16: number 9 is added to number 1", 16, {10, 12, 14, 16, 18, 20, 22, 24}),
      make("no numbers: every sum is 0", 0, {0, 0, 0, 0, 0, 0, 0, 0}),
      make("one number", 1, {1, 0, 0, 0, 0, 0, 0, 0}),
      make("1 to 7: the last sum is 0", 7, {1, 2, 3, 4, 5, 6, 7, 0}),
      make("1 to 19: three numbers are left after two rounds", 19, {27, 30, 33, 16, 18, 20, 22, 24}),
      random_check(10'007, my_chains, [](std::size_t i) { return i % kSums; }),
  };
}

std::vector<Trial> stream_checks() {
  const auto make = [](std::string name, int n, std::vector<double> expected) {
    return check(std::move(name), my_streams, counting(n), std::move(expected));
  };
  constexpr int kMany = 10'007;
  return {
      make("1 to 8: one number per part", 8, {1, 2, 3, 4, 5, 6, 7, 8}),
      make("1 to 16: parts of two numbers", 16, {3, 7, 11, 15, 19, 23, 27, 31}),
      make("no numbers: every sum is 0", 0, {0, 0, 0, 0, 0, 0, 0, 0}),
      make("1 to 5: fewer numbers than parts", 5, {0, 0, 0, 0, 0, 0, 0, 15}),
      make("1 to 19: parts of two numbers, and three are left", 19, {3, 7, 11, 15, 19, 23, 27, 85}),
      random_check(kMany, my_streams, [](std::size_t i) { return std::min(i / (kMany / kSums), kSums - 1); }),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "eight sums",
      "Write `my_chains()`: eight sums whose additions do not wait for each other.",
      7,
      {"An addition takes three or four cycles, but a processor can start one in every cycle. Which addition "
       "does yours wait for?",
       "Read eight numbers per round, and add each one to a sum of its own. Which numbers are left after the "
       "last whole round?",
       "Add up in a local array, float own[8] = {}. While i + 8 <= n, add data[i + c] to own[c] for c = 0 .. "
       "7. "
       "Add what is left to own[i % 8], and copy `own` to `sums`."},
      chain_checks};
  list[1] = {
      "eight places",
      "Write `my_streams()`: eight sums that read the array at eight places at the same time.",
      7,
      {"Where does part c begin, and how many numbers does it have?",
       "In round i, read data[c * part + i] for c = 0 .. 7. If n is less than 8, there is no round.",
       "The outer loop runs over i < part and the inner one over c < 8; the other order would read one part "
       "after the other. At the end, add data[8 * part] to data[n - 1] to the last sum."},
      stream_checks};
  list[2] = {
      "all threads",
      "Write `mine()`: the sum of the whole array, in pieces on all threads.",
      6,
      {"If two threads give other bits than one, the pieces depend on the number of threads. What may their "
       "boundaries depend on?",
       "sum_pieces() cuts the array in the same way for every number of threads. What is left to write is "
       "the "
       "sum of one piece.",
       "return sum_pieces(data, threads, [](const float* piece, std::int64_t count) { ... }); in the lambda, "
       "call my_streams(piece, count, sums) with float sums[8], and return the sum of the eight."},
      {},
      true};
  return list;
}

}  // namespace rung::memory_bandwidth
