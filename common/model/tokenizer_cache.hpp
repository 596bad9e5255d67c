#pragma once
// Remembers the words of one encode() call: text repeats its words, and merging them is the expensive
// part. The cache lives as long as the call, so threads share nothing and nothing has to be evicted.

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rung {

class WordCache {
 public:
  /// Appends to `ids` what stood there for the same word before; false when it has not been seen.
  bool repeat(std::string_view word, std::vector<std::int32_t>& ids) const {
    if (word.size() > kMaxWord) return false;
    const auto found = places_.find(word);
    if (found == places_.end()) return false;
    // By index: `ids` is both source and destination and may move.
    for (std::size_t i = 0; i < found->second.count; ++i) {
      const std::int32_t id = ids[found->second.begin + i];
      ids.push_back(id);
    }
    return true;
  }
  /// Remembers that `word` became ids[begin..]. The text behind `word` outlives the cache.
  void remember(std::string_view word, std::size_t begin, const std::vector<std::int32_t>& ids) {
    if (word.size() > kMaxWord || places_.size() >= kMaxWords) return;
    places_.try_emplace(word, Place{begin, ids.size() - begin});
  }

 private:
  static constexpr std::size_t kMaxWord = 64;
  static constexpr std::size_t kMaxWords = 1 << 16;
  struct Place {
    std::size_t begin, count;
  };
  std::unordered_map<std::string_view, Place> places_;
};

}  // namespace rung
