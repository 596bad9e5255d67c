// Rung 2: what an allocator hands out, and layers counted once per kind.
//
// Memory comes in blocks of `block_tokens` positions, as in vLLM's paged cache (Kwon et al. 2023): the last
// block of a sequence is partly empty, and a window that does not begin where a block begins keeps a partly
// dead one alive. A model has one or two kinds of layers, so 62 layers are two products; a scheduler that
// asks before every step notices.

#include <algorithm>
#include <vector>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

/// Layers that keep the same, and how many of them there are.
struct Kind {
  KvLayer layer;
  std::uint64_t bytes;  // per token, of all of them together
};

std::vector<Kind> kinds_of(const KvPlanConfig& config) {
  std::vector<Kind> kinds;
  for (const KvLayer& layer : config.shape.layers) {
    const std::uint64_t bytes = layer_bytes(layer, config.type);
    const auto same = [&](const Kind& kind) { return kind.layer == layer; };
    const auto kind = std::find_if(kinds.begin(), kinds.end(), same);
    if (kind != kinds.end()) {
      kind->bytes += bytes;
    } else {
      kinds.push_back({layer, bytes});
    }
  }
  return kinds;
}

/// Tokens that the blocks hold which the newest `held` of `length` tokens touch.
std::uint64_t rounded(std::uint64_t held, std::int32_t length, std::uint64_t block) {
  if (held == 0) return 0;
  const auto end = static_cast<std::uint64_t>(length);
  return ((end - 1) / block - (end - held) / block + 1) * block;
}

}  // namespace

KvPlan blocks(const KvPlanConfig& config, std::span<const std::int32_t> lengths) {
  const std::vector<Kind> kinds = kinds_of(config);
  const auto block = static_cast<std::uint64_t>(config.block_tokens);
  const auto reserve = static_cast<std::uint64_t>(config.reserve);
  const auto taken = [&](const Kind& kind, std::uint64_t held, std::int32_t length) {
    return (reserve > 0 ? reserve : rounded(held, length, block)) * kind.bytes;
  };
  KvPlan plan;
  std::int32_t longest = 0;
  for (const std::int32_t length : lengths) longest = std::max(longest, length);
  std::uint64_t one = 0;
  for (const Kind& kind : kinds) {
    plan.per_token += kind.bytes;
    one += taken(kind, held_tokens(kind.layer, longest), longest);
    for (const std::int32_t length : lengths) {
      const std::uint64_t held = held_tokens(kind.layer, length);
      plan.used += held * kind.bytes;
      plan.taken += taken(kind, held, length);
    }
  }
  if (one > 0) plan.batch = config.budget / one;
  return plan;
}

}  // namespace rung::kv_cache_analysis
