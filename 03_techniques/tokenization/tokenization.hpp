#pragma once
// The rungs of `tokenization`, the learner's functions, and the oracle that judges them.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "seams/tokenization.hpp"

namespace rung::tokenization {

using Ids = std::vector<std::int32_t>;

std::unique_ptr<Tokenization> make_naive(const TokenizationConfig& config);
std::unique_ptr<Tokenization> make_heap(const TokenizationConfig& config);
std::unique_ptr<Tokenization> make_linear(const TokenizationConfig& config);

/// Returns the merged word, computed slowly by the definition. All rungs are compared with it.
Ids oracle(const PairTable& pairs, Ids word);

/// A word of a training text, and how often the text has it.
struct CountedWord {
  Ids symbols;
  std::int64_t count = 1;
};
/// Learns merges from words, as Sennrich, Haddow and Birch 2016 do: the most frequent adjacent pair becomes a
/// new symbol, up to `merges` times. Symbols 0 to 255 are bytes, and the others are numbered in the order in
/// which they are made.
PairTable train(std::vector<CountedWord> words, int merges);

/// Two adjacent symbols; {-1, -1} stands for no pair.
struct SymbolPair {
  std::int32_t left = -1, right = -1;
  friend bool operator==(const SymbolPair&, const SymbolPair&) = default;
};

// The exercise, mine.cpp: one function per step.

/// Step 1. Returns the pair of adjacent symbols that the words have most often, the smallest one among
/// equals, or SymbolPair() if no word has two symbols.
SymbolPair my_frequent_pair(std::span<const CountedWord> words);
/// Step 2. Returns the index of the left symbol of the pair with the lowest rank, the leftmost one among
/// equals, or word.size() if no pair can be merged.
std::size_t my_best_pair(const PairTable& pairs, const Ids& word);
/// Step 3. Merges the symbols of one word in place: of the adjacent pairs that `pairs` has, the one with the
/// lowest rank first, the leftmost among equals, until no pair can be merged.
void my_merge(const PairTable& pairs, Ids& word);

std::vector<ExerciseStep> steps();

std::vector<Trial> make_trials(const Ladder<Tokenization>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::tokenization
