// Rung 0 of `tokenization`: by the definition. Look at all neighbors, merge the best, start again.
//
// A word of n symbols has up to n - 1 merges, and each looks at what is left: n * n / 2 looks in all. For a
// word of five letters that is nothing. For a megabyte without a space it is 500 billion.

#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

class Naive final : public Tokenization {
 public:
  void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
             std::span<const std::uint32_t> ends, Ids& ids) const override {
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
      Ids word(symbols.begin() + static_cast<std::ptrdiff_t>(begin), symbols.begin() + end);
      merge_word(pairs, word);
      ids.insert(ids.end(), word.begin(), word.end());
      begin = end;
    }
  }

 private:
  static void merge_word(const PairTable& pairs, Ids& word) {
    while (true) {
      const PairTable::Entry* best = nullptr;
      std::size_t place = 0;
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        const PairTable::Entry* pair = pairs.find(word[i], word[i + 1]);
        if (pair != nullptr && (best == nullptr || pair->rank < best->rank)) best = pair, place = i;
      }
      if (best == nullptr) return;
      word[place] = best->id;
      word.erase(word.begin() + static_cast<std::ptrdiff_t>(place) + 1);
    }
  }
};

}  // namespace

std::unique_ptr<Tokenization> make_naive(const TokenizationConfig& /*config*/) {
  return std::make_unique<Naive>();
}

}  // namespace rung::tokenization
