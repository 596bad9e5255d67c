#pragma once
// The merges of byte-pair encoding as a table from two adjacent ids to the id that they become.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rung {

/// A hash table with open addressing. An id can be any number except -1. Negative ids are never inserted;
/// they stand for symbols without a merge.
class PairTable {
 public:
  struct Entry {
    std::uint64_t key = kEmpty;
    std::int32_t rank = -1;  // the lowest merges first
    std::int32_t id = -1;
  };
  explicit PairTable(std::size_t pairs);
  /// Returns false if the table contains the pair already.
  bool insert(std::int32_t left, std::int32_t right, std::int32_t rank, std::int32_t id);
  /// Returns null if these two are not merged.
  const Entry* find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = make_key(left, right);
    for (std::size_t i = place(key);; i = (i + 1) & mask_) {
      if (entries_[i].key == key) return &entries_[i];
      if (entries_[i].key == kEmpty) return nullptr;
    }
  }
  /// Calls visit(left, right, entry) for every pair, in an unspecified order.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const Entry& entry : entries_) {
      if (entry.key == kEmpty) continue;
      visit(static_cast<std::int32_t>(entry.key >> 32), static_cast<std::int32_t>(entry.key & 0xFFFFFFFFu),
            entry);
    }
  }
  /// Returns one more than the largest rank.
  std::int32_t ranks() const { return ranks_; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};
  static std::uint64_t make_key(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t place(std::uint64_t key) const { return (key * 0x9e3779b97f4a7c15ull >> 32) & mask_; }
  void grow();
  std::vector<Entry> entries_;
  std::size_t mask_;
  std::size_t size_ = 0;
  std::int32_t ranks_ = 0;
};

/// Merges as texts, best first.
using Merges = std::vector<std::pair<std::string, std::string>>;

}  // namespace rung
