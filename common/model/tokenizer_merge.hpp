#pragma once
// The inner loop of byte-pair encoding: merge the best adjacent pair until no pair can be merged.
//
// The plain way looks through all pairs after every merge, which is quadratic in the length of the text
// (Sennrich, Haddow, Birch 2016, arXiv 1508.07909). Here the symbols form a linked list and all pairs
// wait in a heap. Each merge takes one symbol away and adds at most two pairs, so n symbols cost at most
// 3 n heap operations: n log n in all. A pair whose symbols have changed since is recognised by its
// length when it comes out of the heap, and dropped.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rung {

/// A stretch of the text: `length` bytes from `begin`, in the vocabulary as `id` (-1: not there).
struct MergeSymbol {
  std::uint32_t begin = 0;
  std::uint32_t length = 0;  // 0: merged into its left neighbour
  std::int32_t id = -1;
  std::int32_t previous = -1;
  std::int32_t next = -1;
};

/// What two neighbours become. The lowest priority merges first; among equals the leftmost.
struct MergeResult {
  double priority = 0;
  std::int32_t id = -1;  // -1: they do not merge
};

/// Scratch memory of merge_symbols, kept from one word to the next.
struct MergeScratch {
  struct Pair {
    double priority;
    std::uint32_t left;    // index of the left symbol
    std::uint32_t length;  // bytes of both symbols when the pair was made
    std::int32_t id;
    bool operator<(const Pair& other) const {  // std's heap has the largest on top
      return priority != other.priority ? priority > other.priority : left > other.left;
    }
  };
  std::vector<MergeSymbol> symbols;
  std::vector<Pair> heap;
  std::uint64_t pops = 0;  // heap operations so far: the work, counted
};

/// Merges scratch.symbols, which hold begin, length and id of every symbol in order; afterwards those with
/// length > 0 are the result, still in order. lookup(left, right) gives the MergeResult of two symbols.
template <class Lookup>
void merge_symbols(MergeScratch& scratch, Lookup&& lookup) {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  const auto n = static_cast<std::int32_t>(symbols.size());
  heap.clear();
  const auto consider = [&](std::int32_t left, std::int32_t right) {
    if (left < 0 || right < 0) return;
    const MergeSymbol& a = symbols[static_cast<std::size_t>(left)];
    const MergeSymbol& b = symbols[static_cast<std::size_t>(right)];
    const MergeResult result = lookup(a, b);
    if (result.id < 0) return;
    heap.push_back({result.priority, static_cast<std::uint32_t>(left), a.length + b.length, result.id});
  };
  for (std::int32_t i = 0; i < n; ++i) {
    symbols[static_cast<std::size_t>(i)].previous = i - 1;
    symbols[static_cast<std::size_t>(i)].next = i + 1 < n ? i + 1 : -1;
  }
  for (std::int32_t i = 0; i + 1 < n; ++i) consider(i, i + 1);
  std::make_heap(heap.begin(), heap.end());

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const MergeScratch::Pair pair = heap.back();
    heap.pop_back();
    ++scratch.pops;
    MergeSymbol& left = symbols[pair.left];
    if (left.length == 0 || left.next < 0) continue;
    MergeSymbol& right = symbols[static_cast<std::size_t>(left.next)];
    // Symbols only grow, so the sum of the lengths tells whether these are still the same two.
    if (left.length + right.length != pair.length) continue;
    left.length = pair.length;
    left.id = pair.id;
    right.length = 0;
    left.next = right.next;
    if (right.next >= 0)
      symbols[static_cast<std::size_t>(right.next)].previous = static_cast<std::int32_t>(pair.left);
    const auto merged = static_cast<std::int32_t>(pair.left);
    for (const std::int32_t first : {left.previous, merged}) {  // with its new neighbours
      const std::size_t before = heap.size();
      consider(first, first == merged ? left.next : merged);
      if (heap.size() > before) std::push_heap(heap.begin(), heap.end());
    }
  }
}

}  // namespace rung
