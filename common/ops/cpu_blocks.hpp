#pragma once
// How the operations of cpu_ops.cpp and cpu_activate.cpp share out rows among threads.

#include <algorithm>
#include <cstdint>

#include "core/parallel.hpp"

namespace rung {

/// A row of at least this many numbers is worth splitting between threads.
inline constexpr std::int64_t kColumnBlock = 512;

/// Calls body(row, first column, last column) over all of [rows, cols] in column blocks.
template <class Body>
void for_each_block(int threads, std::int64_t rows, std::int64_t cols, const Body& body) {
  const std::int64_t blocks = (cols + kColumnBlock - 1) / kColumnBlock;
  // A thread team costs about a microsecond: too much for the few numbers of a small model's step.
  const int team = rows * cols < 4 * kColumnBlock ? 1 : threads;
  parallel_for(team, rows * blocks, [&](std::int64_t i) {
    const std::int64_t begin = i % blocks * kColumnBlock;
    body(i / blocks, begin, std::min(begin + kColumnBlock, cols));
  });
}

}  // namespace rung
