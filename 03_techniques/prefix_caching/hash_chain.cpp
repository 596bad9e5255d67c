// Rung 1: a table of whole blocks, as in vLLM. The key of a block is its tokens and the block before it, so
// equal keys mean equal texts from the beginning on: a chain. Looking up costs one hash per block. A text
// that leaves a known one inside a block finds nothing of that block.
//
// The hash only finds the bucket. Tokens and predecessor are compared, so no collision can mix up two texts.

#include <algorithm>
#include <unordered_map>

#include "core/error.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

class HashChain final : public PrefixCache {
 public:
  explicit HashChain(const PrefixCacheConfig& config) : config_(config) {}

  int match(std::span<const std::int32_t> tokens, std::uint64_t salt,
            std::vector<std::int32_t>& blocks) override {
    blocks.clear();
    ++clock_;
    std::int64_t before = kBeginning;
    for (std::size_t at = 0; at + size() <= tokens.size(); at += size()) {
      Entry* entry = find(tokens.subspan(at, size()), before, salt);
      if (entry == nullptr) break;
      entry->last_use = clock_;
      ++entry->uses;
      blocks.push_back(entry->block);
      before = entry->id;
    }
    return static_cast<int>(blocks.size() * size());
  }

  int peek(std::span<const std::int32_t> tokens, std::uint64_t salt) override {
    std::int64_t before = kBeginning;
    std::size_t at = 0;
    for (; at + size() <= tokens.size(); at += size()) {
      const Entry* entry = find(tokens.subspan(at, size()), before, salt);
      if (entry == nullptr) break;
      before = entry->id;
    }
    return static_cast<int>(at);
  }

  void insert(std::span<const std::int32_t> tokens, std::span<const std::int32_t> blocks, std::uint64_t salt,
              std::vector<std::int32_t>& kept) override {
    ++clock_;
    std::int64_t before = kBeginning;
    for (std::size_t i = 0; (i + 1) * size() <= tokens.size(); ++i) {
      const auto part = tokens.subspan(i * size(), size());
      Entry* entry = find(part, before, salt);
      if (entry == nullptr) {
        if (Entry* parent = by_id(before)) ++parent->followers;
        const auto at =
            entries_.emplace(hash(part, before, salt),
                             Entry{next_id_++, before, salt, {part.begin(), part.end()}, blocks[i], 0, 0, 0});
        entry = &at->second;
        ids_.emplace(entry->id, at);
        kept.push_back(blocks[i]);
      }
      entry->last_use = clock_;
      before = entry->id;
    }
  }

  void evict(int count, const std::function<bool(std::int32_t)>& may_go,
             std::vector<std::int32_t>& dropped) override {
    while (count-- > 0) {
      auto victim = entries_.end();
      for (auto e = entries_.begin(); e != entries_.end(); ++e) {
        if (e->second.followers > 0 || !may_go(e->second.block)) continue;
        if (victim == entries_.end() || older(e->second, victim->second)) victim = e;
      }
      if (victim == entries_.end()) return;
      if (Entry* parent = by_id(victim->second.before)) --parent->followers;
      dropped.push_back(victim->second.block);
      ids_.erase(victim->second.id);
      entries_.erase(victim);
    }
  }

  std::vector<std::int32_t> held() const override {
    std::vector<std::int32_t> blocks;
    for (const auto& [key, entry] : entries_) blocks.push_back(entry.block);
    return blocks;
  }

  void check_integrity() const override {
    std::unordered_map<std::int64_t, int> followers;
    for (const auto& [key, entry] : entries_) {
      if (entry.before != kBeginning && ids_.count(entry.before) == 0)
        fail("prefix cache: block {} follows one that is gone", entry.block);
      ++followers[entry.before];
    }
    for (const auto& [key, entry] : entries_) {
      if (entry.followers != followers[entry.id])
        fail("prefix cache: block {} has {} followers, {} are counted", entry.block, followers[entry.id],
             entry.followers);
    }
  }

 private:
  static constexpr std::int64_t kBeginning = -1;
  struct Entry {
    std::int64_t id, before;
    std::uint64_t salt;
    std::vector<std::int32_t> tokens;
    std::int32_t block;
    int followers;
    std::int64_t last_use, uses;
  };
  using Entries = std::unordered_multimap<std::uint64_t, Entry>;

  std::size_t size() const { return static_cast<std::size_t>(config_.block_size); }
  bool older(const Entry& a, const Entry& b) const {
    if (config_.eviction == Eviction::lfu && a.uses != b.uses) return a.uses < b.uses;
    return a.last_use != b.last_use ? a.last_use < b.last_use : a.id < b.id;
  }
  static std::uint64_t hash(std::span<const std::int32_t> tokens, std::int64_t before, std::uint64_t salt) {
    std::uint64_t h = 0xcbf29ce484222325ull ^ salt;  // FNV-1a, 32 bits at a time
    const auto add = [&h](std::uint64_t value) { h = (h ^ value) * 0x100000001b3ull; };
    add(static_cast<std::uint64_t>(before));
    for (const std::int32_t token : tokens) add(static_cast<std::uint32_t>(token));
    return h ^ (h >> 32);
  }
  Entry* find(std::span<const std::int32_t> tokens, std::int64_t before, std::uint64_t salt) {
    const auto [first, last] = entries_.equal_range(hash(tokens, before, salt));
    const auto same = std::find_if(first, last, [&](const auto& e) {
      return e.second.before == before && e.second.salt == salt &&
             std::ranges::equal(e.second.tokens, tokens);
    });
    return same == last ? nullptr : &same->second;
  }
  Entry* by_id(std::int64_t id) {
    const auto found = ids_.find(id);
    return found == ids_.end() ? nullptr : &found->second->second;
  }

  PrefixCacheConfig config_;
  Entries entries_;
  std::unordered_map<std::int64_t, Entries::iterator> ids_;
  std::int64_t next_id_ = 0, clock_ = 0;
};

}  // namespace

std::unique_ptr<PrefixCache> make_hash_chain(const PrefixCacheConfig& config) {
  return std::make_unique<HashChain>(config);
}

}  // namespace rung::prefix_caching
