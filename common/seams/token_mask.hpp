#pragma once
// A set of token ids, stored as one bit per id.

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rung {

/// A set of ids from 0 to size - 1.
class TokenMask {
 public:
  /// Creates an empty set, which allows no token.
  explicit TokenMask(int size = 0) : size_(size), words_((static_cast<std::size_t>(size) + 63) / 64, 0) {}

  int size() const { return size_; }
  void clear() { std::fill(words_.begin(), words_.end(), 0); }
  /// allow() adds a token, and allows() returns whether it is in the set. REQUIRES: 0 <= token < size().
  void allow(std::int32_t token) { word(token) |= bit(token); }
  bool allows(std::int32_t token) const {
    return (words_[static_cast<std::size_t>(token) / 64] & bit(token)) != 0;
  }
  int count() const {
    int sum = 0;
    for (const std::uint64_t w : words_) sum += std::popcount(w);
    return sum;
  }

 private:
  static std::uint64_t bit(std::int32_t token) {
    return std::uint64_t{1} << (static_cast<unsigned>(token) % 64);
  }
  std::uint64_t& word(std::int32_t token) {
    assert(token >= 0 && token < size_);
    return words_[static_cast<std::size_t>(token) / 64];
  }

  int size_;
  std::vector<std::uint64_t> words_;
};

}  // namespace rung
