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

// The exercise, mine.cpp: one function per step. The last one is mine(), above.

/// The memory of one sequence, in bytes.
struct SequenceBytes {
  std::uint64_t used = 0;   // keys and values that its newest token reads
  std::uint64_t taken = 0;  // allocated for them
};

/// Step 1. Returns how many bytes `layer` keeps per token.
std::uint64_t my_layer_bytes(const KvLayer& layer, DType type);
/// Step 2. Returns the number of positions in all blocks of `block` positions that contain one of the newest
/// held_tokens(layer, length) positions.
std::uint64_t my_taken_tokens(const KvLayer& layer, std::int32_t length, int block);
/// Step 3. Returns the memory of a sequence of `length` tokens in all layers.
SequenceBytes my_sequence_bytes(const KvPlanConfig& config, std::int32_t length);

std::vector<ExerciseStep> steps();

std::vector<Trial> trials(const Ladder<KvPlanner>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::kv_cache_analysis
