#pragma once
// The naive rung's steps as functions, because the learner's rung borrows the ones it does not write.
//
// Every filter works on the distribution that the previous one left, normalized again: shares and
// averages below are of the mass still in the list.

#include <cstdint>
#include <span>
#include <vector>

#include "mass.hpp"

namespace rung::sampling::naive {

/// All tokens of nonzero mass, most probable first.
std::vector<Candidate> rank(std::span<const float> logits, const Gaps& gaps);

/// The filters take and leave the list ordered, most probable first.
void keep_top_k(std::vector<Candidate>& list, int k);
void keep_top_p(std::vector<Candidate>& list, float p);
void keep_min_p(std::vector<Candidate>& list, float p);
void keep_typical(std::vector<Candidate>& list, float p, const Gaps& gaps);

/// The token at u in [0, 1) of the cumulative distribution over ascending ids.
std::int32_t draw(std::vector<Candidate> list, double u);

}  // namespace rung::sampling::naive
