#pragma once
// The inner loop of byte-pair encoding: merge the best adjacent pair until no pair can be merged.
//
// It is an interface, because 03_techniques/tokenization implements it several times. The default
// implementation is declared here. For short words, it examines all pairs again after every merge, which
// takes quadratic time but touches only a few dozen numbers (Sennrich, Haddow, Birch 2016, arXiv 1508.07909).
// For long words, it keeps all pairs in a heap, which takes time n log n.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "text/tokenizer/models/pairs.hpp"

namespace rung {

class BpeMerger {
 public:
  virtual ~BpeMerger() = default;
  /// Merges every word and appends its remaining symbols to `ids`, word by word. `symbols` contains all
  /// words, one after another, and word i ends before symbols[ends[i]]. Of all adjacent pairs of a word that
  /// `pairs` contains, the one with the lowest rank becomes one symbol, the leftmost among equals, until no
  /// pair is left. Symbols without a pair (for example negative ones) are not changed. Thread safety: any
  /// number of threads can call this at the same time. REQUIRES: `ends` ascends, and its last element is
  /// symbols.size().
  virtual void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
                     std::span<const std::uint32_t> ends, std::vector<std::int32_t>& ids) const = 0;
};

/// Scratch memory of merge_word, which is reused for the next word.
struct MergeScratch {
  struct Node {
    std::int32_t id;
    std::int32_t previous, next;  // -1: none
  };
  std::vector<std::int32_t> symbols;  // in: the word
  std::vector<std::int32_t> ranks;    // rank of each symbol with its right neighbor
  std::vector<Node> nodes;
  std::vector<std::uint64_t> heap;  // rank in the upper half, index of the left symbol in the lower
  std::uint64_t pops = 0;           // number of heap operations and examined pairs so far
};

/// Merges scratch.symbols in place.
void merge_word(const PairTable& pairs, MergeScratch& scratch);

/// Returns merge_word as a BpeMerger.
std::shared_ptr<const BpeMerger> default_merger();

}  // namespace rung
