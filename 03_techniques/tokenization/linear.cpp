// Rung 2 of `tokenization`: no comparisons at all, and no word twice.
//
// Ranks are small whole numbers that are known before: so there is a bucket for each, a list of places, and a
// bitmap of three levels says which is the first that is not empty. A pair comes into being when the later
// of its two symbols is made, from left to right, so buckets are in order by themselves; the few places that
// are not (tables with several ways to one token) wait in a heap beside them. Words that came before are
// copied: English repeats most of its words. Both together: time in proportion to the text.

#include <algorithm>
#include <array>
#include <bit>
#include <climits>
#include <functional>
#include <queue>

#include "tokenization.hpp"

namespace rung::tokenization {
namespace {

constexpr std::int32_t kNone = -1;
constexpr std::int32_t kNoRank = INT32_MAX;

/// Numbers from 0 to a limit; the smallest is found by looking at one 64-bit word per level.
class Bitmap {
 public:
  explicit Bitmap(std::size_t limit) {
    for (std::size_t size = limit; levels_.empty() || size > 1;) {
      size = (size + 63) / 64;
      levels_.emplace_back(std::max<std::size_t>(size, 1));
    }
  }
  void insert(std::size_t value) {
    for (auto& level : levels_) {
      level[value / 64] |= std::uint64_t{1} << (value % 64);
      value /= 64;
    }
  }
  void erase(std::size_t value) {
    for (auto& level : levels_) {
      level[value / 64] &= ~(std::uint64_t{1} << (value % 64));
      if (level[value / 64] != 0) return;
      value /= 64;
    }
  }
  std::int32_t smallest() const {  // kNoRank: none
    std::size_t value = 0;
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
      if ((*level)[value] == 0) return kNoRank;
      value = 64 * value + static_cast<std::size_t>(std::countr_zero((*level)[value]));
    }
    return static_cast<std::int32_t>(value);
  }

 private:
  std::vector<std::vector<std::uint64_t>> levels_;
};

/// A queue of (rank, place), the smallest first: buckets, and a heap for what comes out of order.
class RankQueue {
 public:
  explicit RankQueue(std::size_t ranks) : filled_(ranks), buckets_(ranks) {}
  void clear() { entries_.clear(); }  // REQUIRES: empty

  void push(std::int32_t rank, std::int32_t place) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(rank)];
    const auto entry = static_cast<std::int32_t>(entries_.size());
    if (bucket.first == kNone) {
      bucket.first = entry;
      filled_.insert(static_cast<std::size_t>(rank));
    } else if (entries_[static_cast<std::size_t>(bucket.last)].place < place) {
      entries_[static_cast<std::size_t>(bucket.last)].next = entry;
    } else {
      late_.push({rank, place});
      return;
    }
    bucket.last = entry;
    entries_.push_back({place, kNone});
  }

  /// False when there is nothing left.
  bool pop(std::int32_t& rank, std::int32_t& place) {
    rank = filled_.smallest();
    if (rank != kNoRank) place = entries_[static_cast<std::size_t>(first_of(rank))].place;
    if (!late_.empty() && late_.top() < std::pair{rank, rank == kNoRank ? kNone : place}) {
      std::tie(rank, place) = late_.top();
      late_.pop();
      return true;
    }
    if (rank == kNoRank) return false;
    Bucket& bucket = buckets_[static_cast<std::size_t>(rank)];
    bucket.first = entries_[static_cast<std::size_t>(bucket.first)].next;
    if (bucket.first == kNone) filled_.erase(static_cast<std::size_t>(rank));
    return true;
  }

 private:
  struct Bucket {
    std::int32_t first = kNone, last = kNone;
  };
  struct Entry {
    std::int32_t place, next;
  };
  std::int32_t first_of(std::int32_t rank) const { return buckets_[static_cast<std::size_t>(rank)].first; }

  Bitmap filled_;
  std::vector<Bucket> buckets_;
  std::vector<Entry> entries_;
  using Late = std::pair<std::int32_t, std::int32_t>;
  std::priority_queue<Late, std::vector<Late>, std::greater<>> late_;
};

/// The words of one call that have been merged already: where their symbols stand, and where their tokens.
class Cache {
 public:
  bool repeat(std::span<const std::int32_t> word, Ids& ids) {
    hash_ = 0;
    for (const std::int32_t symbol : word) {
      hash_ = (hash_ ^ static_cast<std::uint32_t>(symbol)) * 0x9e3779b97f4a7c15ull;
      hash_ ^= hash_ >> 32;
    }
    if (entries_.empty()) return false;
    for (std::size_t i = hash_ & mask();; i = (i + 1) & mask()) {
      const Entry& entry = entries_[i];
      if (entry.symbols == nullptr) return false;
      if (entry.hash != hash_ ||
          !std::equal(word.begin(), word.end(), entry.symbols, entry.symbols + entry.length))
        continue;
      for (std::size_t k = 0; k < entry.count; ++k) ids.push_back(ids[entry.begin + k]);
      return true;
    }
  }
  void remember(std::span<const std::int32_t> word, std::size_t begin, const Ids& ids) {
    constexpr std::size_t kMaxWords = 1 << 17;
    if (count_ == kMaxWords) return;
    if (2 * ++count_ > entries_.size()) {
      std::vector<Entry> old(std::max<std::size_t>(256, 2 * entries_.size()));
      old.swap(entries_);
      for (const Entry& entry : old) {
        if (entry.symbols != nullptr) place(entry);
      }
    }
    place({word.data(), word.size(), hash_, begin, ids.size() - begin});
  }

 private:
  struct Entry {
    const std::int32_t* symbols = nullptr;
    std::size_t length = 0;
    std::uint64_t hash = 0;
    std::size_t begin = 0, count = 0;
  };
  std::size_t mask() const { return entries_.size() - 1; }
  void place(const Entry& entry) {
    std::size_t i = entry.hash & mask();
    while (entries_[i].symbols != nullptr) i = (i + 1) & mask();
    entries_[i] = entry;
  }
  std::vector<Entry> entries_;
  std::size_t count_ = 0;
  std::uint64_t hash_ = 0;
};

class Merger {
 public:
  explicit Merger(const PairTable& pairs) : pairs_(pairs), queue_(static_cast<std::size_t>(pairs.ranks())) {}

  /// Appends the tokens of a word.
  void merge(std::span<const std::int32_t> word, Ids& ids) {
    const auto n = static_cast<std::int32_t>(word.size());
    ids_.assign(word.begin(), word.end());
    rank_.assign(word.size(), kNoRank);
    previous_.resize(word.size());
    next_.resize(word.size());
    for (std::int32_t i = 0; i < n; ++i) {
      at(previous_, i) = i - 1;
      at(next_, i) = i + 1 < n ? i + 1 : kNone;
    }
    queue_.clear();
    for (std::int32_t i = 0; i < n; ++i) look(i);
    for (std::int32_t rank = 0, left = 0; queue_.pop(rank, left);) {
      if (at(rank_, left) != rank) continue;  // not the pair any more that went in
      const std::int32_t right = at(next_, left);
      at(ids_, left) = pairs_.find(at(ids_, left), at(ids_, right))->id;
      at(next_, left) = at(next_, right);
      if (at(next_, right) != kNone) at(previous_, at(next_, right)) = left;
      at(rank_, right) = kNoRank;
      look(left);
      if (at(previous_, left) != kNone) look(at(previous_, left));
    }
    for (std::int32_t i = 0; i != kNone; i = at(next_, i)) ids.push_back(at(ids_, i));
  }

 private:
  static std::int32_t& at(Ids& list, std::int32_t i) { return list[static_cast<std::size_t>(i)]; }

  /// Takes note of the pair that begins at `left`, which has just come into being.
  void look(std::int32_t left) {
    const std::int32_t right = at(next_, left);
    const PairTable::Entry* pair = right == kNone ? nullptr : pairs_.find(at(ids_, left), at(ids_, right));
    at(rank_, left) = pair == nullptr ? kNoRank : pair->rank;
    if (pair != nullptr) queue_.push(pair->rank, left);
  }

  const PairTable& pairs_;
  RankQueue queue_;
  Ids ids_, rank_, previous_, next_;  // of the symbol at each place
};

class Linear final : public Tokenization {
 public:
  void merge(const PairTable& pairs, std::span<const std::int32_t> symbols,
             std::span<const std::uint32_t> ends, Ids& ids) const override {
    constexpr std::size_t kLongestCached = 64;
    Merger merger(pairs);
    Cache cache;
    std::size_t begin = 0;
    for (const std::uint32_t end : ends) {
      const auto word = symbols.subspan(begin, end - begin);
      begin = end;
      if (word.size() < 2 || word.size() > kLongestCached) {
        if (!word.empty()) merger.merge(word, ids);
        continue;
      }
      if (cache.repeat(word, ids)) continue;
      const std::size_t first = ids.size();
      merger.merge(word, ids);
      cache.remember(word, first, ids);
    }
  }
};

}  // namespace

std::unique_ptr<Tokenization> make_linear(const TokenizationConfig& /*config*/) {
  return std::make_unique<Linear>();
}

}  // namespace rung::tokenization
