// Your rung. README.md in this folder says what it must do and which test judges it.
//
// For every sequence of `length` tokens and every layer of config.shape.layers:
//   1. The newest token reads held = held_tokens(layer, length) tokens. Each has
//      layer_bytes(layer, config.type) bytes.
//   2. If config.reserve is set, memory is taken for that many tokens. Otherwise it is taken for every
//      block of config.block_tokens positions that contains one of the positions length - held to
//      length - 1.
// Finally, plan.batch is the number of sequences like the longest one that fit into config.budget.

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {

KvPlan mine([[maybe_unused]] const KvPlanConfig& config,
            [[maybe_unused]] std::span<const std::int32_t> lengths) {
  throw NotStarted("kv_plan rung 'mine' is not started: write 01_challenges/kv_cache_analysis/mine.cpp");
}

}  // namespace rung::kv_cache_analysis
