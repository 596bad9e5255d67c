// A wrong solution of the exercise `tokenization`: it merges the first pair that merges, from left to right,
// and not the one of the lowest rank. The test of the exercise flow wants it to fail.

#include "tokenization.hpp"

namespace rung::tokenization {

Progress my_merge(const PairTable& pairs, Ids& word) {
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
  return Progress::done;
}

}  // namespace rung::tokenization
