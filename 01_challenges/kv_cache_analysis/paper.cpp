// Rung 0: the formula as papers print it, one product for the whole model (Kwon et al. 2023, section 3).
//
//     bytes = 2 * layers * kv_heads * head_dim * bytes per number * tokens
//
// The 2 is for keys and values. It holds when all layers are alike, keep all of the past, and memory comes in
// single tokens. For a model with windows or latents, or a real allocator, this rung declines.

#include <algorithm>
#include <numeric>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {

KvPlan paper(const KvPlanConfig& config, std::span<const std::int32_t> lengths) {
  const KvLayer& layer = config.shape.layers.front();
  const auto layers = static_cast<std::uint64_t>(config.shape.layers.size());
  const auto kv_heads = static_cast<std::uint64_t>(layer.kv_heads);
  KvPlan plan;
  plan.per_token = 2 * layers * kv_heads * bytes_of(config.type, layer.key_dim);

  const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
  plan.used = plan.taken = plan.per_token * tokens;

  const std::int32_t longest = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  if (longest > 0) plan.batch = config.budget / (plan.per_token * static_cast<std::uint64_t>(longest));
  return plan;
}

}  // namespace rung::kv_cache_analysis
