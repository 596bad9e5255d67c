#pragma once
// Distributes the rows of the operations in cpu_ops.cpp and cpu_activate.cpp to threads.

#include <algorithm>
#include <cstdint>

#include "core/parallel.hpp"

namespace rung {

/// The number of columns in a block, which one thread computes. Longer rows are split between threads.
inline constexpr std::int64_t kColumnBlock = 512;

/// Calls body(row, begin, end) for all blocks of columns [begin, end) of a matrix [rows, cols].
template <class Body>
void for_each_block(int threads, std::int64_t rows, std::int64_t cols, const Body& body) {
  const std::int64_t blocks = (cols + kColumnBlock - 1) / kColumnBlock;
  // The fork-join overhead of several threads is about a microsecond, which is too much for few numbers.
  const int team = rows * cols < 4 * kColumnBlock ? 1 : threads;
  parallel_for(team, rows * blocks, [&](std::int64_t i) {
    const std::int64_t begin = i % blocks * kColumnBlock;
    body(i / blocks, begin, std::min(begin + kColumnBlock, cols));
  });
}

}  // namespace rung
