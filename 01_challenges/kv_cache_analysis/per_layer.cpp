// Rung 1: one layer at a time, because layers differ.
//
// A layer keeps keys and values of its own number of heads, or a latent (MLA); with a window it keeps only
// the newest tokens. And a contiguous cache takes memory for `reserve` tokens per sequence at once, windows
// or not: the difference between taken and used is what over-allocation wastes.

#include <algorithm>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

/// Bytes of one sequence.
struct Bytes {
  std::uint64_t used = 0, taken = 0;
};

Bytes sequence_bytes(const KvPlanConfig& config, std::int32_t length) {
  Bytes bytes;
  for (const KvLayer& layer : config.shape.layers) {
    const std::uint64_t per_token = layer_bytes(layer, config.type);
    const std::uint64_t held = held_tokens(layer, length);
    bytes.used += held * per_token;
    bytes.taken += (config.reserve > 0 ? static_cast<std::uint64_t>(config.reserve) : held) * per_token;
  }
  return bytes;
}

}  // namespace

KvPlan per_layer(const KvPlanConfig& config, std::span<const std::int32_t> lengths) {
  KvPlan plan;
  for (const KvLayer& layer : config.shape.layers) plan.per_token += layer_bytes(layer, config.type);
  std::int32_t longest = 0;
  for (const std::int32_t length : lengths) {
    const Bytes bytes = sequence_bytes(config, length);
    plan.used += bytes.used;
    plan.taken += bytes.taken;
    longest = std::max(longest, length);
  }
  const std::uint64_t one = sequence_bytes(config, longest).taken;
  if (one > 0) plan.batch = config.budget / one;
  return plan;
}

}  // namespace rung::kv_cache_analysis
