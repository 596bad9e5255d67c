#pragma once
// What the rungs of this ladder share. A rung is a plain function. register.cpp wraps it in a planner that
// checks all numbers first, so a rung can multiply without overflow.

#include <cstdint>
#include <span>

#include "core/registry.hpp"
#include "seams/kv_plan.hpp"

namespace rung::kv_cache_analysis {

KvPlan paper(const KvPlanConfig& config, std::span<const std::int32_t> lengths);
KvPlan per_layer(const KvPlanConfig& config, std::span<const std::int32_t> lengths);
KvPlan blocks(const KvPlanConfig& config, std::span<const std::int32_t> lengths);
KvPlan mine(const KvPlanConfig& config, std::span<const std::int32_t> lengths);

/// Returns how many bytes `layer` keeps per token.
inline std::uint64_t layer_bytes(const KvLayer& layer, DType type) {
  return bytes_of(type, layer.elements());
}

/// Returns how many tokens of a sequence of `length` tokens its newest token sees in `layer`.
inline std::uint64_t held_tokens(const KvLayer& layer, std::int32_t length) {
  return static_cast<std::uint64_t>(layer.window > 0 && layer.window < length ? layer.window : length);
}

std::vector<Trial> trials(const Ladder<KvPlanner>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::kv_cache_analysis
