// The merge step that tokenizers use by themselves, and the table of pairs.

#include "text/tokenizer/models/merge.hpp"

#include <algorithm>
#include <bit>
#include <climits>

namespace rung {
namespace {

constexpr std::size_t kShortWord = 40;  // symbols; up to here looking at all pairs beats a heap
constexpr std::int32_t kNoPair = INT32_MAX;

std::int32_t rank_of(const PairTable& pairs, std::int32_t left, std::int32_t right) {
  const PairTable::Entry* pair = pairs.find(left, right);
  return pair == nullptr ? kNoPair : pair->rank;
}

void merge_short(const PairTable& pairs, MergeScratch& scratch) {
  auto& symbols = scratch.symbols;
  auto& ranks = scratch.ranks;
  std::size_t n = symbols.size();
  ranks.resize(n);
  for (std::size_t i = 0; i + 1 < n; ++i) ranks[i] = rank_of(pairs, symbols[i], symbols[i + 1]);
  while (n > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < n; ++i) {
      if (ranks[i] < ranks[best]) best = i;
    }
    scratch.pops += n - 1;
    if (ranks[best] == kNoPair) break;
    symbols[best] = pairs.find(symbols[best], symbols[best + 1])->id;
    std::copy(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 2,
              symbols.begin() + static_cast<std::ptrdiff_t>(n),
              symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(ranks.begin() + static_cast<std::ptrdiff_t>(best) + 1,
              ranks.begin() + static_cast<std::ptrdiff_t>(n),
              ranks.begin() + static_cast<std::ptrdiff_t>(best));
    --n;
    if (best + 1 < n) ranks[best] = rank_of(pairs, symbols[best], symbols[best + 1]);
    if (best > 0) ranks[best - 1] = rank_of(pairs, symbols[best - 1], symbols[best]);
  }
  symbols.resize(n);
}

/// The symbols form a linked list and all pairs wait in a heap. Each merge takes one symbol away and adds
/// at most two pairs, so n symbols cost at most 3 n heap operations.
void merge_long(const PairTable& pairs, MergeScratch& scratch) {
  auto& nodes = scratch.nodes;
  auto& heap = scratch.heap;
  const auto n = static_cast<std::int32_t>(scratch.symbols.size());
  nodes.clear();
  heap.clear();
  for (std::int32_t i = 0; i < n; ++i) {
    nodes.push_back({scratch.symbols[static_cast<std::size_t>(i)], i - 1, i + 1 < n ? i + 1 : -1});
  }
  const auto node = [&](std::int32_t i) -> MergeScratch::Node& { return nodes[static_cast<std::size_t>(i)]; };
  const auto consider = [&](std::int32_t left) {
    if (left < 0 || node(left).next < 0) return false;
    const PairTable::Entry* pair = pairs.find(node(left).id, node(node(left).next).id);
    if (pair == nullptr) return false;
    heap.push_back(std::uint64_t{static_cast<std::uint32_t>(pair->rank)} << 32 |
                   static_cast<std::uint32_t>(left));
    return true;
  };
  for (std::int32_t i = 0; i < n; ++i) consider(i);
  const auto later = std::greater<>();
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const std::uint64_t top = heap.back();
    heap.pop_back();
    ++scratch.pops;
    const auto at = static_cast<std::int32_t>(top & 0xFFFFFFFFu);
    if (node(at).previous == -2 || node(at).next < 0) continue;  // merged away, or the last one
    const std::int32_t right = node(at).next;
    const PairTable::Entry* pair = pairs.find(node(at).id, node(right).id);
    // The symbols have changed since: if they still merge, another entry of the heap stands for that.
    if (pair == nullptr || pair->rank != static_cast<std::int32_t>(top >> 32)) continue;
    node(at).id = pair->id;
    node(at).next = node(right).next;
    if (node(right).next >= 0) node(node(right).next).previous = at;
    node(right).previous = -2;
    if (consider(at)) std::push_heap(heap.begin(), heap.end(), later);
    if (consider(node(at).previous)) std::push_heap(heap.begin(), heap.end(), later);
  }
  scratch.symbols.clear();
  for (std::int32_t i = 0; i >= 0; i = node(i).next) scratch.symbols.push_back(node(i).id);
}

class DefaultMerger final : public BpeMerger {
 public:
  void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
             std::span<const std::uint32_t> ends, std::vector<std::int32_t>& ids) const override {
    MergeScratch scratch;
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
      scratch.symbols.assign(symbols.begin() + static_cast<std::ptrdiff_t>(begin), symbols.begin() + end);
      merge_word(pairs, scratch);
      ids.insert(ids.end(), scratch.symbols.begin(), scratch.symbols.end());
      begin = end;
    }
  }
};

}  // namespace

void merge_word(const PairTable& pairs, MergeScratch& scratch) {
  if (scratch.symbols.size() < 2) return;
  if (scratch.symbols.size() <= kShortWord) {
    merge_short(pairs, scratch);
  } else {
    merge_long(pairs, scratch);
  }
}

std::shared_ptr<const BpeMerger> default_merger() { return std::make_shared<DefaultMerger>(); }

PairTable::PairTable(std::size_t pairs)
    : entries_(std::bit_ceil(2 * pairs + 2)), mask_(entries_.size() - 1) {}

bool PairTable::insert(std::int32_t left, std::int32_t right, std::int32_t rank, std::int32_t id) {
  if (2 * (size_ + 1) > entries_.size()) grow();
  const std::uint64_t key = make_key(left, right);
  std::size_t i = place(key);
  while (entries_[i].key != kEmpty) {
    if (entries_[i].key == key) return false;
    i = (i + 1) & mask_;
  }
  entries_[i] = {key, rank, id};
  ++size_;
  ranks_ = std::max(ranks_, rank + 1);
  return true;
}

void PairTable::grow() {
  std::vector<Entry> old(2 * entries_.size());
  old.swap(entries_);
  mask_ = entries_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.key == kEmpty) continue;
    std::size_t i = place(entry.key);
    while (entries_[i].key != kEmpty) i = (i + 1) & mask_;
    entries_[i] = entry;
  }
}

}  // namespace rung
