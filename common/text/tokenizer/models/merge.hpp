#pragma once
// The inner loop of byte-pair encoding: merge the best adjacent pair until no pair can be merged.
//
// It is an interface, because 03_techniques/tokenization writes it several times. The one that tokenizers
// use by themselves is here: short words by looking at all pairs again after every merge, which is
// quadratic but touches a few dozen numbers (Sennrich, Haddow, Birch 2016, arXiv 1508.07909); long ones with
// all pairs waiting in a heap, n log n.

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
  /// Merges every word and appends what remains of it to `ids`, word by word. `symbols` holds all words,
  /// one after the other; word i ends in front of symbols[ends[i]]. Of the adjacent pairs of a word that
  /// `pairs` knows, the one of the lowest rank becomes one symbol, the leftmost among equals, until there
  /// is none. Symbols that no pair has (negative ones among them) stay as they are.
  /// Thread safety: const, any number of calls at once. REQUIRES: ends ascend; the last is symbols.size().
  virtual void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
                     std::span<const std::uint32_t> ends, std::vector<std::int32_t>& ids) const = 0;
};

/// Scratch memory of merge_word, kept from one word to the next.
struct MergeScratch {
  struct Node {
    std::int32_t id;
    std::int32_t previous, next;  // -1: none
  };
  std::vector<std::int32_t> symbols;  // in: the word
  std::vector<std::int32_t> ranks;    // of each symbol with its right neighbour
  std::vector<Node> nodes;
  std::vector<std::uint64_t> heap;  // rank in the upper half, index of the left symbol in the lower
  std::uint64_t pops = 0;           // heap operations and looks at a pair so far: the work, counted
};

/// Merges scratch.symbols in place.
void merge_word(const PairTable& pairs, MergeScratch& scratch);

/// merge_word behind the interface.
std::shared_ptr<const BpeMerger> default_merger();

}  // namespace rung
