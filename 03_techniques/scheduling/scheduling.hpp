#pragma once
// The rungs of seam `policy`: which request goes first.

#include <memory>

#include "core/registry.hpp"
#include "seams/policy.hpp"

namespace rung::scheduling {

std::unique_ptr<Policy> make_fifo(const PolicyConfig& config);
std::unique_ptr<Policy> make_priority(const PolicyConfig& config);
std::unique_ptr<Policy> make_shortest_first(const PolicyConfig& config);
std::unique_ptr<Policy> make_fair_share(const PolicyConfig& config);
std::unique_ptr<Policy> make_deadline(const PolicyConfig& config);
std::unique_ptr<Policy> make_longest_prefix_match(const PolicyConfig& config);
std::unique_ptr<Policy> make_adaptive(const PolicyConfig& config);
std::unique_ptr<Policy> make_mine(const PolicyConfig& config);

std::vector<Trial> trials(const Ladder<Policy>& ladder);
std::vector<Goal> goals(const Ladder<Policy>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::scheduling
