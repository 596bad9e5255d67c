#pragma once
// The plan of a comparison: in which order a round runs the variants, and how many rounds are needed.

#include <cstddef>
#include <vector>

#include "measure/stored_runs.hpp"
#include "seams/stopping_rule.hpp"

namespace rung {

struct RoundRule {
  StoppingRule stopping;
  double precision = 0.05;  // half of the interval's width, as a share of the ratio, that is precise enough
};

/// Returns the order in which a round, counted from 0, runs its variants. Every second round has the reverse
/// order of the one before it, so that a machine that becomes slower at a constant rate slows all variants
/// equally. Each pair of rounds begins with another variant.
std::vector<std::size_t> order_of_round(int round, std::size_t variants);

/// Returns whether a point has all the rounds that it needs. REQUIRES: summarize() was called after the last
/// round.
bool has_enough_rounds(const StoredPoint& point, const RoundRule& rule);

}  // namespace rung
