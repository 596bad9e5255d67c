// Your byte-pair encoding, in three steps: one that learns merges, and two that apply them. The lesson beside
// this file explains them. Judge with
//
//   rung exercises tokenization          builds this file and judges all steps
//   rung exercises tokenization --hint   shows one hint for the step that does not pass yet
//
// A symbol is a number of type std::int32_t: 0 to 255 for a byte, and larger for what merges have made. A
// word is a vector of symbols (Ids, in tokenization.hpp).

#include <climits>
#include <map>

#include "core/error.hpp"
#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 03_techniques/tokenization/mine.cpp", function));
}

}  // namespace

// Step 1. Learning. Returns the pair of adjacent symbols that occurs most often in a text. The text has
// words[i].count times the word words[i].symbols, and pairs do not cross the borders of words. Overlapping
// pairs count, too: "aaa" has the pair (a, a) twice. Of several pairs with the highest count, the one with
// the smallest left symbol is returned, and among those the one with the smallest right symbol. If no word
// has two symbols, returns SymbolPair(), which is {-1, -1}. The counts need 64 bits. Test:
// tokenization.mine.1
SymbolPair my_frequent_pair([[maybe_unused]] std::span<const CountedWord> words) {
  not_started("my_frequent_pair()");
}

// Step 2. Which pair is merged next? pairs.find(left, right) returns a pointer to an entry with the `rank` of
// the pair, at least 0, and with the symbol `id` that the pair becomes. It returns nullptr if the two symbols
// do not merge. Returns the index of the left symbol of the pair with the lowest rank, the leftmost one among
// equals. If no pair of the word merges, returns word.size(). Test: tokenization.mine.2
std::size_t my_best_pair([[maybe_unused]] const PairTable& pairs, [[maybe_unused]] const Ids& word) {
  not_started("my_best_pair()");
}

// Step 3. Encoding. Merges the symbols of one word in place: the pair of step 2 becomes one symbol, until no
// pair merges. The new symbol has the place of the left one, and the right one is removed. Test:
// tokenization.mine.3
void my_merge([[maybe_unused]] const PairTable& pairs, [[maybe_unused]] Ids& word) {
  not_started("my_merge()");
}

}  // namespace rung::tokenization
