#pragma once
// Remembers the words of one encode() call, because words repeat in a text and merging them is the expensive
// part. The cache exists only during the call, so threads share nothing and nothing must be evicted.

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace rung {

/// 64 bits of a word, eight bytes at a time.
inline std::uint64_t hash_bytes(std::string_view word) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ull;
  std::uint64_t hash = word.size() * kOdd;
  const auto mix = [&hash](std::uint64_t part) {
    hash = (hash ^ part) * kOdd;
    hash ^= hash >> 29;
  };
  while (word.size() > 8) {
    std::uint64_t part = 0;
    std::memcpy(&part, word.data(), 8);
    mix(part);
    word.remove_prefix(8);
  }
  std::uint64_t part = 0;
  std::memcpy(&part, word.data(), word.size());
  mix(part);
  hash *= kOdd;
  return hash ^ hash >> 32;
}

class WordCache {
 public:
  /// Appends the ids that the same word had before to `ids`. Returns false if the word is new.
  bool repeat(std::string_view word, std::vector<std::int32_t>& ids) {
    if (word.size() > kMaxWord) return false;
    hash_ = hash_bytes(word);
    if (entries_.empty()) return false;
    for (std::size_t i = hash_ & mask_;; i = (i + 1) & mask_) {
      const Entry& entry = entries_[i];
      if (entry.word == nullptr) return false;
      if (entry.hash != static_cast<std::uint32_t>(hash_ >> 32) || entry.length != word.size() ||
          std::memcmp(entry.word, word.data(), word.size()) != 0) {
        continue;
      }
      // `ids` is both source and destination and may move.
      const std::size_t old = ids.size();
      ids.resize(old + entry.count);
      for (std::size_t k = 0; k < entry.count; ++k) ids[old + k] = ids[entry.begin + k];
      return true;
    }
  }
  /// Remembers that `word`, for which repeat() has just returned false, became ids[begin..]. The text of
  /// `word` must outlive the cache.
  void remember(std::string_view word, std::size_t begin, const std::vector<std::int32_t>& ids) {
    if (word.size() > kMaxWord || count_ >= kMaxWords || ids.size() > UINT32_MAX) return;
    if (2 * (count_ + 1) > entries_.size()) grow();
    place({word.data(), static_cast<std::uint32_t>(hash_ >> 32), static_cast<std::uint16_t>(word.size()),
           static_cast<std::uint16_t>(ids.size() - begin), static_cast<std::uint32_t>(begin)},
          hash_);
    ++count_;
  }

 private:
  static constexpr std::size_t kMaxWord = 64;
  static constexpr std::size_t kMaxWords = 1 << 17;
  struct Entry {
    const char* word = nullptr;
    std::uint32_t hash = 0;
    std::uint16_t length = 0, count = 0;
    std::uint32_t begin = 0;
  };
  void place(const Entry& entry, std::uint64_t hash) {
    std::size_t i = hash & mask_;
    while (entries_[i].word != nullptr) i = (i + 1) & mask_;
    entries_[i] = entry;
  }
  void grow() {
    std::vector<Entry> old(entries_.empty() ? 256 : 2 * entries_.size());
    old.swap(entries_);
    mask_ = entries_.size() - 1;
    for (const Entry& entry : old) {
      if (entry.word != nullptr) place(entry, hash_bytes({entry.word, entry.length}));
    }
  }
  std::vector<Entry> entries_;
  std::size_t mask_ = 0, count_ = 0;
  std::uint64_t hash_ = 0;  // hash of the word of the last call of repeat()
};

}  // namespace rung
