#pragma once
// The rungs of `tokenization`, the learner's function, and the oracle that judges them.

#include <memory>
#include <vector>

#include "core/registry.hpp"
#include "seams/tokenization.hpp"

namespace rung::tokenization {

using Ids = std::vector<std::int32_t>;

std::unique_ptr<Tokenization> make_naive(const TokenizationConfig& config);
std::unique_ptr<Tokenization> make_heap(const TokenizationConfig& config);
std::unique_ptr<Tokenization> make_linear(const TokenizationConfig& config);

/// The learner's function, in mine.cpp.
enum class Progress { not_started, done };
/// Merges the symbols of one word in place: of the adjacent pairs that `pairs` has, the one with the lowest
/// rank first, the leftmost among equals, until no pair can be merged.
Progress my_merge(const PairTable& pairs, Ids& word);

/// Returns the merged word, computed slowly by the definition. All rungs are compared with it.
Ids oracle(const PairTable& pairs, Ids word);

/// Learns merges from words, as Sennrich, Haddow and Birch 2016 do: the most frequent adjacent pair becomes a
/// new symbol, up to `merges` times. Symbols 0 to 255 are bytes, and the others are numbered in the order in
/// which they are made.
struct CountedWord {
  Ids symbols;
  std::int64_t count = 1;
};
PairTable train(std::vector<CountedWord> words, int merges);

std::vector<Trial> make_trials(const Ladder<Tokenization>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::tokenization
