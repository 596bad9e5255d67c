// A correct answer that is not good: of the ends of texts, the one that was used last is given up first.

#include <algorithm>
#include <map>
#include <utility>

#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

using Ids = std::vector<std::int32_t>;

/// Every known beginning, whole, with the block that it ends in. Simple, and much memory.
class Beginnings final : public PrefixCache {
 public:
  explicit Beginnings(const PrefixCacheConfig& config) : size_(config.block_size) {}

  int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
            std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    int known = 0;
    while (known + size_ <= static_cast<int>(tokens.size())) {
      const auto found = known_.find(key(tokens, known + size_, salt));
      if (found == known_.end()) break;
      found->second.second = ++clock_;
      blocks.push_back(found->second.first);
      known += size_;
    }
    return known;
  }
  void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks, std::uint64_t salt,
              std::vector<std::int32_t>& kept) override {
    for (int end = size_; end <= static_cast<int>(tokens.size()); end += size_) {
      const std::int32_t block = blocks[static_cast<std::size_t>(end / size_ - 1)];
      const auto [at, added] = known_.try_emplace(key(tokens, end, salt), block, 0);
      at->second.second = ++clock_;
      if (added) kept.push_back(block);
    }
  }
  void evict(int count, const std::function<bool(std::int32_t)>& may_go,
             std::vector<std::int32_t>& dropped) override {
    for (; count > 0; --count) {
      auto newest = known_.end();
      for (auto it = known_.begin(); it != known_.end(); ++it) {
        if (!may_go(it->second.first) || has_followers(it)) continue;
        if (newest == known_.end() || it->second.second > newest->second.second) newest = it;
      }
      if (newest == known_.end()) return;
      dropped.push_back(newest->second.first);
      known_.erase(newest);
    }
  }
  std::vector<std::int32_t> held() const override {
    std::vector<std::int32_t> blocks;
    for (const auto& [key, value] : known_) blocks.push_back(value.first);
    return blocks;
  }
  void check_integrity() const override {}

 private:
  using Key = std::pair<std::uint64_t, Ids>;
  using Known = std::map<Key, std::pair<std::int32_t, std::int64_t>>;  // -> block, last use

  static Key key(std::span<const std::int32_t> tokens, int end, std::uint64_t salt) {
    return {salt, Ids(tokens.begin(), tokens.begin() + end)};
  }
  /// In the order of the map, texts that begin with this one follow it at once.
  bool has_followers(Known::const_iterator it) const {
    const auto next = std::next(it);
    return next != known_.end() && next->first.first == it->first.first &&
           next->first.second.size() > it->first.second.size() &&
           std::equal(it->first.second.begin(), it->first.second.end(), next->first.second.begin());
  }

  int size_;
  std::int64_t clock_ = 0;
  Known known_;
};

}  // namespace

std::unique_ptr<PrefixCache> make_mine(const PrefixCacheConfig& config) {
  return std::make_unique<Beginnings>(config);
}

}  // namespace rung::prefix_caching
