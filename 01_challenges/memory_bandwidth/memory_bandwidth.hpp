#pragma once
// What the rungs of this ladder share. A rung is a plain function, which register.cpp wraps in a Bandwidth.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.hpp"
#include "core/registry.hpp"
#include "seams/bandwidth.hpp"

namespace rung::memory_bandwidth {

float naive(std::span<const float> data, int threads);
float chains(std::span<const float> data, int threads);
float simd(std::span<const float> data, int threads);
float threads(std::span<const float> data, int threads);
float prefetch(std::span<const float> data, int threads);
float streams(std::span<const float> data, int threads);
float mine(std::span<const float> data, int threads);

/// Returns the sum of n floats. Uses the current SIMD level and only the calling thread.
float vector_sum(const float* data, std::int64_t n);

/// Returns the sum of `data`. Cuts it into pieces of a fixed length; each thread adds up a contiguous run of
/// pieces with `sum(begin, count)`. The sums of the pieces are added in order, so the bits of the result do
/// not depend on `threads`.
template <class Sum>
float sum_pieces(std::span<const float> data, int threads, const Sum& sum) {
  constexpr std::int64_t kPiece = std::int64_t{1} << 18;  // 1 MiB: many per thread; starting one costs little
  const auto n = static_cast<std::int64_t>(data.size());
  std::vector<float> sums(static_cast<std::size_t>((n + kPiece - 1) / kPiece));
  parallel_for(threads, static_cast<std::int64_t>(sums.size()), [&](std::int64_t i) {
    sums[static_cast<std::size_t>(i)] = sum(data.data() + i * kPiece, std::min(kPiece, n - i * kPiece));
  });
  double total = 0;
  for (const float piece : sums) total += piece;
  return static_cast<float>(total);
}

// The exercise, mine.cpp: one function per step. The last one is mine(), above.

/// Step 1. Writes eight sums to `sums`; sums[c] is the sum of all data[i] for which i % 8 == c.
void my_chains(const float* data, std::int64_t n, float* sums);
/// Step 2. Writes the sums of eight adjacent parts of n / 8 numbers to `sums`. The last sum includes what is
/// left.
void my_streams(const float* data, std::int64_t n, float* sums);

std::vector<ExerciseStep> steps();

std::vector<Trial> trials(const Ladder<Bandwidth>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::memory_bandwidth
