#include "measure/rounds.hpp"

#include <algorithm>
#include <numeric>

namespace rung {

std::vector<std::size_t> order_of_round(int round, std::size_t variants) {
  std::vector<std::size_t> order(variants);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto first = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(round / 2) % variants);
  std::rotate(order.begin(), order.begin() + first, order.end());
  if (round % 2 == 1) std::reverse(order.begin(), order.end());
  return order;
}

bool has_enough_rounds(const StoredPoint& point, const RoundRule& rule) {
  const int rounds = static_cast<int>(point.rounds.size());
  return std::all_of(point.results.begin(), point.results.end(), [&](const StoredResult& r) {
    return rule.stopping.stops(rounds, r.ratio, rule.precision);
  });
}

}  // namespace rung
