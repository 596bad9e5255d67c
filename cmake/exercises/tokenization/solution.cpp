// A solution of the exercise `tokenization`: the ranks of all pairs are kept, and after a merge only the two
// beside it are looked up again. Still quadratic, but over plain numbers.

#include <algorithm>
#include <climits>

#include "tokenization.hpp"

namespace rung::tokenization {

Progress my_merge(const PairTable& pairs, Ids& word) {
  const auto rank_at = [&](std::size_t i) {
    if (i + 1 >= word.size()) return INT_MAX;
    const PairTable::Entry* pair = pairs.find(word[i], word[i + 1]);
    return pair == nullptr ? INT_MAX : pair->rank;
  };
  std::vector<int> ranks(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) ranks[i] = rank_at(i);
  while (!word.empty()) {
    const auto best = static_cast<std::size_t>(std::min_element(ranks.begin(), ranks.end()) - ranks.begin());
    if (ranks[best] == INT_MAX) break;
    word[best] = pairs.find(word[best], word[best + 1])->id;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    ranks.erase(ranks.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    ranks[best] = rank_at(best);
    if (best > 0) ranks[best - 1] = rank_at(best - 1);
  }
  return Progress::done;
}

}  // namespace rung::tokenization
