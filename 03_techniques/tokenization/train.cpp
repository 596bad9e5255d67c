// Learning the merges of byte-pair encoding: count all pairs of neighbors, merge the most frequent one
// everywhere, count again. Slow and short: the tables it makes are for trials and tests.

#include <map>
#include <utility>

#include "tokenization.hpp"

namespace rung::tokenization {

PairTable train(std::vector<CountedWord> words, int merges) {
  PairTable table(static_cast<std::size_t>(merges));
  for (std::int32_t rank = 0; rank < merges; ++rank) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> counts;
    for (const CountedWord& word : words) {
      for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
        counts[{word.symbols[i], word.symbols[i + 1]}] += word.count;
      }
    }
    auto best = counts.end();
    for (auto pair = counts.begin(); pair != counts.end(); ++pair) {
      if (best == counts.end() || pair->second > best->second) best = pair;
    }
    if (best == counts.end() || best->second < 2) return table;
    const auto [left, right] = best->first;
    const std::int32_t merged = 256 + rank;
    table.insert(left, right, rank, merged);
    for (CountedWord& word : words) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < word.symbols.size(); ++i) {
        const bool here =
            word.symbols[i] == left && i + 1 < word.symbols.size() && word.symbols[i + 1] == right;
        word.symbols[kept++] = here ? merged : word.symbols[i];
        i += here;
      }
      word.symbols.resize(kept);
    }
  }
  return table;
}

}  // namespace rung::tokenization
