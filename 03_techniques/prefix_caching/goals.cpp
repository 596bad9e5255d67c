// What makes a correct prefix cache a good one: how little is left to compute when not everything can stay.

#include <cmath>

#include "core/rng.hpp"
#include "prefix_caching.hpp"

namespace rung::prefix_caching {
namespace {

/// 600 turns of 60 conversations, some of which go on far more often than others. Four system prompts, each
/// shared by a quarter of the conversations. Returns the prompt tokens that the cache did not have.
double tokens_computed(PrefixCache& cache, const PrefixCacheConfig& config) {
  constexpr std::size_t kConversations = 60, kSystems = 4, kSystemTokens = 200, kTurnTokens = 40,
                        kLongest = 600;
  constexpr int kBlocks = 200, kTurns = 600;
  Rng rng(20260421);
  const auto words = [&](std::vector<std::int32_t>& text, std::size_t count) {
    while (count-- > 0) text.push_back(static_cast<std::int32_t>(rng.below(1000)));
  };
  std::vector<std::vector<std::int32_t>> systems(kSystems), conversations(kConversations);
  for (auto& text : systems) words(text, kSystemTokens);
  for (std::size_t i = 0; i < kConversations; ++i) conversations[i] = systems[i % kSystems];

  const auto size = static_cast<std::size_t>(config.block_size);
  std::int32_t next_block = 0;
  double computed = 0;
  std::vector<std::int32_t> blocks, ignored;
  for (int turn = 0; turn < kTurns; ++turn) {
    // The k-th most frequent about 1 / k times as often as the first.
    const auto which =
        static_cast<std::size_t>(std::exp(rng.uniform() * std::log(double{kConversations}))) - 1;
    std::vector<std::int32_t>& text = conversations[which];
    if (text.size() > kLongest) text = systems[which % kSystems];  // a new conversation
    words(text, kTurnTokens);
    const auto known = static_cast<std::size_t>(cache.match(text, 0, blocks));
    computed += static_cast<double>(text.size() - known);
    blocks.resize(known / size);  // a block that is known in part is copied
    while (blocks.size() * size < text.size()) blocks.push_back(next_block++);
    cache.insert(text, blocks, 0, ignored);
    const int too_many = static_cast<int>(cache.held().size()) - kBlocks;
    if (too_many > 0)
      cache.evict(
          too_many, [](std::int32_t) { return true; }, ignored);
  }
  return computed;
}

}  // namespace

std::vector<Goal> goals(const Ladder<PrefixCache>& ladder) {
  const auto count = [&ladder](const std::string& rung) {
    const PrefixCacheConfig config{16, Eviction::lru};
    return tokens_computed(*ladder.make(rung, config), config);
  };
  return {{"prompt tokens not found in 600 turns of 60 conversations, room for 200 blocks of 16", "",
           "hash_chain", 1.1, count}};
}

}  // namespace rung::prefix_caching
