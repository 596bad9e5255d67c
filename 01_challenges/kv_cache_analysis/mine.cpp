// Your rung. The lesson beside this file says what it should do and which test judges it.
//
// The idea, for every sequence of `length` tokens and every layer of config.shape.layers:
//   1. the newest token reads   held = held_tokens(layer, length)   tokens, layer_bytes(layer, config.type)
//   each
//   2. memory is taken for config.reserve tokens where that is set, else for every block of
//      config.block_tokens positions in which one of positions length - held .. length - 1 lies
//   3. plan.batch: how many sequences like the longest one fit into config.budget

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {

KvPlan mine([[maybe_unused]] const KvPlanConfig& config,
            [[maybe_unused]] std::span<const std::int32_t> lengths) {
  throw NotStarted("kv_plan rung 'mine' is not started: write 01_challenges/kv_cache_analysis/mine.cpp");
}

}  // namespace rung::kv_cache_analysis
