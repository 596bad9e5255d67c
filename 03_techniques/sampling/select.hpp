#pragma once
// The select rung's filters, used by the simd rung too, which brings shorter lists.
//
// Unlike naive's they take the list in any order and leave it in any order.

#include <cstdint>
#include <vector>

#include "mass.hpp"
#include "seams/sampler.hpp"

namespace rung::sampling::select {

std::uint64_t total_mass(const std::vector<Candidate>& list);

void keep_top_k(std::vector<Candidate>& list, int k);
/// Keeps the most probable tokens that hold at least `need` together.
void keep_top_mass(std::vector<Candidate>& list, std::uint64_t need);
void keep_min_p(std::vector<Candidate>& list, float p);
void keep_typical(std::vector<Candidate>& list, float p, const Gaps& gaps);

/// The token at u in [0, 1) of the cumulative distribution over ascending ids.
std::int32_t draw(std::vector<Candidate>& list, double u);

}  // namespace rung::sampling::select
