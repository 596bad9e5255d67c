// A wrong answer: the first pair that merges goes first, whatever its rank.

#include <climits>
#include <map>

#include "core/error.hpp"
#include "tokenization.hpp"

namespace rung::tokenization {

// Step 1. Learning. Returns the pair of adjacent symbols that occurs most often in a text. The text has
// words[i].count times the word words[i].symbols, and pairs do not cross the borders of words. Overlapping
// pairs count, too: "aaa" has the pair (a, a) twice. Of several pairs with the highest count, the one with
// the smallest left symbol is returned, and among those the one with the smallest right symbol. If no word
// has two symbols, returns SymbolPair(), which is {-1, -1}. The counts need 64 bits. Test:
// tokenization.mine.1
SymbolPair my_frequent_pair(std::span<const CountedWord> words) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> counts;
  for (const CountedWord& word : words) {
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i)
      counts[{word.symbols[i], word.symbols[i + 1]}] += word.count;
  }
  SymbolPair best;
  std::int64_t most = 0;
  for (const auto& [pair, count] : counts) {
    if (count > most) most = count, best = {pair.first, pair.second};
  }
  return best;
}

// Step 2. Which pair is merged next? pairs.find(left, right) returns a pointer to an entry with the `rank` of
// the pair, at least 0, and with the symbol `id` that the pair becomes. It returns nullptr if the two symbols
// do not merge. Returns the index of the left symbol of the pair with the lowest rank, the leftmost one among
// equals. If no pair of the word merges, returns word.size(). Test: tokenization.mine.2
std::size_t my_best_pair(const PairTable& pairs, const Ids& word) {
  std::size_t best = word.size();
  std::int32_t lowest = INT_MAX;
  for (std::size_t i = 0; i + 1 < word.size(); ++i) {
    const PairTable::Entry* pair = pairs.find(word[i], word[i + 1]);
    if (pair != nullptr && pair->rank < lowest) lowest = pair->rank, best = i;
  }
  return best;
}

// Step 3. Encoding. Merges the symbols of one word in place: the pair of step 2 becomes one symbol, until no
// pair merges. The new symbol has the place of the left one, and the right one is removed. Test:
// tokenization.mine.3
void my_merge(const PairTable& pairs, Ids& word) {
  for (std::size_t i = 0; i + 1 < word.size();) {
    const PairTable::Entry* pair = pairs.find(word[i], word[i + 1]);
    if (pair == nullptr) {
      ++i;
      continue;
    }
    word[i] = pair->id;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    i = 0;
  }
}

}  // namespace rung::tokenization
