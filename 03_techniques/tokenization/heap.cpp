// Rung 1 of `tokenization`: all pairs wait in a heap, the best on top.
//
// A merge changes two pairs only, the ones on its sides, so there is no need to look at all others again. The
// symbols are a linked list, from which one goes with every merge. Pairs that have changed since they went
// into the heap are not looked for there: they are recognized when they come out, and dropped. n symbols put
// at most 3 n pairs into the heap: n log n.

#include <algorithm>
#include <functional>
#include <queue>

#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

struct Node {
  std::int32_t id;
  std::int32_t previous, next;  // -1: none; previous -2: merged into its left neighbor
};

struct Waiting {
  std::int32_t rank, left;
  bool operator>(const Waiting& other) const {
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

class Heap final : public Tokenization {
 public:
  void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
             std::span<const std::uint32_t> ends, Ids& ids) const override {
    std::size_t begin = 0;
    std::vector<Node> nodes;
    for (const std::uint32_t end : ends) {
      nodes.clear();
      const auto n = static_cast<std::int32_t>(end - begin);
      for (std::int32_t i = 0; i < n; ++i) {
        nodes.push_back({symbols[begin + static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
      }
      merge_word(pairs, nodes);
      for (std::int32_t i = n > 0 ? 0 : -1; i >= 0; i = nodes[static_cast<std::size_t>(i)].next) {
        ids.push_back(nodes[static_cast<std::size_t>(i)].id);
      }
      begin = end;
    }
  }

 private:
  static void merge_word(const PairTable& pairs, std::vector<Node>& nodes) {
    const auto node = [&](std::int32_t i) -> Node& { return nodes[static_cast<std::size_t>(i)]; };
    const auto pair_at = [&](std::int32_t left) {
      return pairs.find(node(left).id, node(node(left).next).id);
    };
    std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> heap;
    const auto consider = [&](std::int32_t left) {
      if (left < 0 || node(left).next < 0) return;
      if (const PairTable::Entry* pair = pair_at(left)) heap.push({pair->rank, left});
    };
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(nodes.size()); ++i) consider(i);
    while (!heap.empty()) {
      const Waiting best = heap.top();
      heap.pop();
      Node& left = node(best.left);
      if (left.previous == -2 || left.next < 0) continue;
      const PairTable::Entry* pair = pair_at(best.left);
      if (pair == nullptr || pair->rank != best.rank) continue;  // not the pair any more that went in
      Node& right = node(left.next);
      left.id = pair->id;
      left.next = right.next;
      if (right.next >= 0) node(right.next).previous = best.left;
      right.previous = -2;
      consider(best.left);
      consider(left.previous);
    }
  }
};

}  // namespace

std::unique_ptr<Tokenization> make_heap(const TokenizationConfig& /*config*/) {
  return std::make_unique<Heap>();
}

}  // namespace rung::tokenization
