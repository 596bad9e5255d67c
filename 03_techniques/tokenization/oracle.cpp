// What the rungs of `tokenization` are judged by: the definition again, on a list.

#include <cstdint>
#include <iterator>
#include <list>

#include "tokenization.hpp"

namespace rung::tokenization {

Ids oracle(const PairTable& pairs, Ids word) {
  std::list<std::int32_t> symbols(word.begin(), word.end());
  while (true) {
    // The first place of the lowest rank.
    std::int32_t lowest = INT32_MAX;
    auto place = symbols.end();
    for (auto left = symbols.begin(); left != symbols.end() && std::next(left) != symbols.end(); ++left) {
      const PairTable::Entry* pair = pairs.find(*left, *std::next(left));
      if (pair != nullptr && pair->rank < lowest) lowest = pair->rank, place = left;
    }
    if (place == symbols.end()) return {symbols.begin(), symbols.end()};
    *place = pairs.find(*place, *std::next(place))->id;
    symbols.erase(std::next(place));
  }
}

}  // namespace rung::tokenization
