// A learner's rung that is right. The test of the exercise flow puts it in the place of
// 01_challenges/kv_cache_analysis/mine.cpp on a scratch copy.

#include <algorithm>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {

KvPlan mine(const KvPlanConfig& config, std::span<const std::int32_t> lengths) {
  const auto block = static_cast<std::uint64_t>(config.block_tokens);
  const auto tokens_taken = [&](const KvLayer& layer, std::int32_t length) -> std::uint64_t {
    if (config.reserve > 0) return static_cast<std::uint64_t>(config.reserve);
    const std::uint64_t held = held_tokens(layer, length);
    if (held == 0) return 0;
    const auto end = static_cast<std::uint64_t>(length);
    return ((end - 1) / block - (end - held) / block + 1) * block;
  };

  KvPlan plan;
  std::int32_t longest = 0;
  for (const std::int32_t length : lengths) longest = std::max(longest, length);
  std::uint64_t one = 0;
  for (const KvLayer& layer : config.shape.layers) {
    const std::uint64_t bytes = layer_bytes(layer, config.type);
    plan.per_token += bytes;
    one += tokens_taken(layer, longest) * bytes;
    for (const std::int32_t length : lengths) {
      plan.used += held_tokens(layer, length) * bytes;
      plan.taken += tokens_taken(layer, length) * bytes;
    }
  }
  if (one > 0) plan.batch = config.budget / one;
  return plan;
}

}  // namespace rung::kv_cache_analysis
