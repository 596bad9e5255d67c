// Every rung on the trials, and what each can and cannot find.

#include <numeric>

#include "prefix_caching.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::prefix_caching;
using Ids = std::vector<std::int32_t>;

namespace {

const Ladder<PrefixCache>& ladder() { return testing::ladder_of<PrefixCache, register_rungs>(); }

Ids numbers(int from, int count) {
  Ids ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), from);
  return ids;
}

Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEST_CASE("every rung finds what it knows, and nothing else") {
  testing::judge_all(testing::registry_of<register_rungs>(), "prefix_cache");
}

TEST_CASE("radix reuses a block up to where the text differs, hash_chain whole ones only") {
  const Ids text = numbers(0, 12), other = joined(numbers(0, 6), numbers(100, 6));
  for (const auto& [rung, expected] : {std::pair{"none", 0}, {"hash_chain", 4}, {"radix", 6}}) {
    const auto cache = ladder().make(rung, {4, Eviction::lru});
    Ids kept, blocks;
    cache->insert(text, Ids{7, 8, 9}, 0, kept);
    INFO(rung);
    CHECK(cache->match(other, 0, blocks) == expected);
    CHECK(blocks.size() == (static_cast<std::size_t>(expected) + 3) / 4);
    CHECK(cache->match(text, 1, blocks) == 0);  // another tenant
  }
}

TEST_CASE("the least recently used end goes first; or the least frequently used one") {
  for (const char* rung : {"hash_chain", "radix"}) {
    for (const Eviction eviction : {Eviction::lru, Eviction::lfu}) {
      const auto cache = ladder().make(rung, {4, eviction});
      Ids kept, blocks, dropped;
      cache->insert(joined(numbers(0, 4), numbers(10, 4)), Ids{1, 2}, 0, kept);
      cache->insert(joined(numbers(0, 4), numbers(20, 4)), Ids{1, 3}, 0, kept);
      for (int i = 0; i < 3; ++i) cache->match(joined(numbers(0, 4), numbers(10, 4)), 0, blocks);
      cache->match(joined(numbers(0, 4), numbers(20, 4)), 0, blocks);
      cache->evict(
          1, [](std::int32_t) { return true; }, dropped);
      INFO(rung);
      CHECK(dropped == Ids{eviction == Eviction::lru ? 2 : 3});
      cache->evict(
          1, [](std::int32_t block) { return block == 1; }, dropped);
      CHECK(dropped.size() == 1);  // block 1 may go, but something follows it
    }
  }
}
