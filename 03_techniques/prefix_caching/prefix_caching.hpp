#pragma once
// The rungs of seam `prefix_cache`.

#include <memory>

#include "core/registry.hpp"
#include "seams/prefix_cache.hpp"

namespace rung::prefix_caching {

std::unique_ptr<PrefixCache> make_none(const PrefixCacheConfig& config);
std::unique_ptr<PrefixCache> make_hash_chain(const PrefixCacheConfig& config);
std::unique_ptr<PrefixCache> make_radix(const PrefixCacheConfig& config);
/// The learner's rung (mine.cpp). Its functions throw NotStarted until the learner has written them.
std::unique_ptr<PrefixCache> make_mine(const PrefixCacheConfig& config);

/// The graded steps of the exercise (steps.cpp).
std::vector<ExerciseStep> steps();
std::vector<Trial> trials(const Ladder<PrefixCache>& ladder);
std::vector<Goal> goals(const Ladder<PrefixCache>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::prefix_caching
