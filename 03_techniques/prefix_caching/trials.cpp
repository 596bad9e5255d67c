// The trials of `prefix_cache`: random texts that share prefixes. The oracle remembers for every block the
// whole text up to the end of the block.

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include <fmt/core.h>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

using Ids = std::vector<std::int32_t>;

struct Workload {
  std::string name;
  int block_size, vocabulary, longest, operations, salts;
  Eviction eviction = Eviction::lru;
};

/// Drives a cache with random operations and holds every answer against what it should know.
class Driver {
 public:
  Driver(const Workload& w, PrefixCache& cache, bool keeps) : w_(w), cache_(cache), keeps_(keeps) {}

  void run() {
    for (at_ = 0; at_ < w_.operations; ++at_) {
      const std::uint64_t kind = rng_.below(10);
      const Ids text = new_text();
      const std::uint64_t salt = rng_.below(static_cast<std::uint64_t>(w_.salts));
      if (kind < 5) {
        match(text, salt);
      } else if (kind < 9) {
        insert(text, salt);
      } else {
        evict(1 + static_cast<int>(rng_.below(6)));
      }
      cache_.check_integrity();
      compare_held();
    }
    pinned_.clear();
    evict(static_cast<int>(known_.size()));
    if (!cache_.held().empty())
      bad("an empty cache after all blocks were evicted", std::to_string(cache_.held().size()) + " blocks");
  }

 private:
  struct Known {
    std::uint64_t salt;
    Ids text;  // up to the end of the block
  };

  [[noreturn]] void bad(const std::string& expected, const std::string& got) const {
    fail("{}", mismatch(w_.name, fmt::format("blocks of {}, {} known", w_.block_size, known_.size()),
                        fmt::format("operation {}", at_), expected, got));
  }

  /// Often a known text, changed from some place on.
  Ids new_text() {
    Ids text;
    if (!texts_.empty() && rng_.below(4) != 0) {
      text = texts_[rng_.below(texts_.size())];
      text.resize(rng_.below(text.size() + 1));
    }
    const auto more = rng_.below(static_cast<std::uint64_t>(w_.longest));
    for (std::uint64_t i = 0; i < more; ++i)
      text.push_back(static_cast<std::int32_t>(rng_.below(static_cast<std::uint64_t>(w_.vocabulary))));
    if (text.size() > 4u * static_cast<std::size_t>(w_.longest))
      text.resize(4u * static_cast<std::size_t>(w_.longest));
    texts_.push_back(text);
    if (texts_.size() > 50) texts_.erase(texts_.begin());
    return text;
  }

  std::size_t size() const { return static_cast<std::size_t>(w_.block_size); }

  /// Tokens of `text` in whole blocks that are known.
  std::size_t whole(const Ids& text, std::uint64_t salt) const {
    std::size_t known = 0;
    while (known + size() <= text.size() &&
           whole_.count(
               {salt, Ids(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(known + size()))}) > 0) {
      known += size();
    }
    return known;
  }

  void match(const Ids& text, std::uint64_t salt) {
    std::vector<std::int32_t> blocks = {-7};  // of an earlier call
    const int peeked = cache_.peek(text, salt);
    const int tokens = cache_.match(text, salt, blocks);
    if (peeked != tokens)
      bad(fmt::format("peek() to find the {} tokens of match()", tokens), std::to_string(peeked));
    const std::size_t least = keeps_ ? whole(text, salt) : 0;
    if (tokens < static_cast<int>(least) || tokens > static_cast<int>(text.size()))
      bad(fmt::format("{} to {} tokens known of a text of {}", least, text.size(), text.size()),
          std::to_string(tokens));
    if (blocks.size() != (static_cast<std::size_t>(tokens) + size() - 1) / size())
      bad(fmt::format("{} tokens in blocks of {}", tokens, w_.block_size),
          fmt::format("{} blocks", blocks.size()));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto found = known_.find(blocks[i]);
      const std::size_t end = std::min((i + 1) * size(), static_cast<std::size_t>(tokens));
      const bool right = found != known_.end() && found->second.salt == salt &&
                         found->second.text.size() == (i + 1) * size() &&
                         std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                                    found->second.text.begin());
      if (!right)
        bad(fmt::format("block {} of the match to hold the text's own tokens", i),
            fmt::format("block {}, which does not", blocks[i]));
    }
  }

  void insert(const Ids& text, std::uint64_t salt) {
    // As an engine does: blocks that are known are taken over, the others are new.
    std::vector<std::int32_t> blocks, kept, expected;
    for (std::size_t end = size(); end <= text.size() + size() - 1; end += size()) {
      blocks.push_back(next_block_++);
      if (end > text.size()) break;  // a last block that is not full
      const std::pair key{salt, Ids(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end))};
      if (const auto known = whole_.find(key); known != whole_.end()) {
        if (rng_.below(2) == 0)
          blocks.back() = known->second;  // otherwise, a request computes it again without a lookup
      } else if (keeps_) {
        expected.push_back(blocks.back());
        whole_.emplace(key, blocks.back());
        known_[blocks.back()] = {salt, key.second};
        if (rng_.below(4) == 0) pinned_.insert(blocks.back());
      }
    }
    cache_.insert(text, blocks, salt, kept);
    std::sort(kept.begin(), kept.end());
    std::sort(expected.begin(), expected.end());
    if (kept != expected)
      bad(fmt::format("{} blocks kept", expected.size()), fmt::format("{}, or others", kept.size()));
  }

  void evict(int count) {
    std::vector<std::int32_t> dropped;
    cache_.evict(
        count, [&](std::int32_t block) { return pinned_.count(block) == 0; }, dropped);
    if (static_cast<int>(dropped.size()) > count)
      bad(fmt::format("at most {} blocks dropped", count), std::to_string(dropped.size()));
    for (const std::int32_t block : dropped) {
      const auto found = known_.find(block);
      if (found == known_.end()) bad("a known block dropped", fmt::format("block {}", block));
      if (pinned_.count(block) > 0) bad("no block dropped that may not go", fmt::format("block {}", block));
      whole_.erase({found->second.salt, found->second.text});
      known_.erase(found);
    }
    for (const auto& [block, k] : known_) {  // nothing may be left that cannot be reached
      if (k.text.size() == size()) continue;
      if (whole_.count({k.salt, Ids(k.text.begin(), k.text.end() - w_.block_size)}) == 0)
        bad(fmt::format("the block before block {} to stay while it stays", block), "it was dropped");
    }
    if (static_cast<int>(dropped.size()) < count) {  // then no end of a text may have been left that could go
      for (const auto& [block, k] : known_) {
        const bool end = std::none_of(known_.begin(), known_.end(), [&, &self = k](const auto& other) {
          const Ids& t = other.second.text;
          return other.second.salt == self.salt && t.size() == self.text.size() + size() &&
                 std::equal(self.text.begin(), self.text.end(), t.begin());
        });
        if (end && pinned_.count(block) == 0)
          bad(fmt::format("{} blocks dropped, or all that may go", count), fmt::format("{}", dropped.size()));
      }
    }
  }

  void compare_held() const {
    std::vector<std::int32_t> held = cache_.held(), expected;
    for (const auto& [block, k] : known_) expected.push_back(block);
    std::sort(held.begin(), held.end());
    if (held != expected)
      bad(fmt::format("{} blocks held", expected.size()), fmt::format("{}, or others", held.size()));
  }

  const Workload& w_;
  PrefixCache& cache_;
  bool keeps_;
  Rng rng_{20260420};
  std::vector<Ids> texts_;
  std::map<std::int32_t, Known> known_;  // by block
  std::map<std::pair<std::uint64_t, Ids>, std::int32_t>
      whole_;                      // (salt, text up to the end of a block) -> block
  std::set<std::int32_t> pinned_;  // blocks that a sequence reads
  std::int32_t next_block_ = 0;
  int at_ = 0;
};

std::vector<Workload> workloads() {
  return {
      {"few tokens, blocks of 1", 1, 3, 6, 600, 1},
      {"few tokens, blocks of 4", 4, 2, 12, 800, 1},
      {"two tenants", 4, 3, 16, 600, 2},
      {"blocks of 16", 16, 50, 60, 400, 1},
      {"least frequently used", 4, 3, 16, 600, 1, Eviction::lfu},
  };
}

}  // namespace

std::vector<Trial> trials(const Ladder<PrefixCache>& ladder) {
  const auto judge = [&ladder](const std::string& rung, int /*threads*/, const Workload& w) {
    const auto cache = ladder.make(rung, {w.block_size, w.eviction});
    Driver(w, *cache, rung != "none").run();
    return Verdict();
  };
  std::vector<Trial> result = trials_of(workloads(), judge);

  // A conversation goes on: 2,000 tokens are known, 30 are new; among 200 other conversations.
  Trial lookups;
  lookups.name = "match a prompt of 2,030 tokens among 200 conversations";
  lookups.timed = true;
  lookups.work.bytes = 2030.0 * 4;
  lookups.judge = result.front().judge;
  lookups.prepare = [&ladder](const std::string& rung, int) -> std::function<void()> {
    const std::shared_ptr<PrefixCache> cache = ladder.make(rung, {16, Eviction::lru});
    Rng rng(3);
    Ids text(2030);
    std::int32_t block = 0;
    for (int conversation = 0; conversation < 200; ++conversation) {
      for (std::size_t i = 500; i < text.size(); ++i) text[i] = static_cast<std::int32_t>(rng.below(32000));
      std::vector<std::int32_t> blocks(2000 / 16), kept;
      for (std::int32_t& b : blocks) b = block++;
      cache->insert(std::span(text).first(2000), blocks, 0, kept);
    }
    const auto found = std::make_shared<std::vector<std::int32_t>>();
    return [cache, text, found] { cache->match(text, 0, *found); };
  };
  result.push_back(std::move(lookups));
  return result;
}

}  // namespace rung::prefix_caching
