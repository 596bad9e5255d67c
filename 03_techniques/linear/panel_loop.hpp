#pragma once
// The loop of the threads over a weight's panels.

#include <algorithm>
#include <cstdint>

#include "core/parallel.hpp"
#include "seams/linear.hpp"

namespace rung::linear {

/// Calls run(first, last) for ranges that together are the panels [begin, end). Each range is so short that
/// its sums fit into a thread's memory, which has room for `piece` panels and `block` tokens. If x has fewer
/// tokens, a range can have more panels.
template <class Run>
void for_panels_in_memory(std::int64_t begin, std::int64_t end, std::int64_t piece, std::int64_t block,
                          std::int64_t tokens, const Run& run) {
  const std::int64_t longest = piece * block / std::clamp<std::int64_t>(tokens, 1, block);
  for (std::int64_t first = begin; first < end; first += longest) run(first, std::min(first + longest, end));
}

/// Calls body(begin, end) for ranges of panels that together are [0, panels), for a product with so many
/// `tokens`: whole pieces of `piece` panels, several in a row where memory is what it waits for.
template <class Body>
void for_panels(int threads, std::int64_t panels, std::int64_t piece, std::int64_t tokens, const Body& body) {
  parallel_for_stretches(
      threads, (panels + piece - 1) / piece, longest_stretch(tokens),
      [&](std::int64_t begin, std::int64_t end) { body(begin * piece, std::min(end * piece, panels)); });
}

}  // namespace rung::linear
