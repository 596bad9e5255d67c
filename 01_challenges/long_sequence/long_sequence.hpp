#pragma once
// What the rungs of this ladder share. A rung is a plain function, which register.cpp wraps in a RopeStretch
// that checks the numbers first.

#include "core/registry.hpp"
#include "seams/rope.hpp"

namespace rung::long_sequence {

RopeFrequencies model(const RopeStretchConfig& config);
RopeFrequencies plain(const RopeStretchConfig& config);
RopeFrequencies linear(const RopeStretchConfig& config);
RopeFrequencies ntk(const RopeStretchConfig& config);
RopeFrequencies yarn(const RopeStretchConfig& config);
RopeFrequencies mine(const RopeStretchConfig& config);

/// Returns the angle per position of pair i in RoPE, in radians: base^(-2i / rotary_dim) (Su et al. 2021,
/// arXiv 2104.09864, eq. 15).
double pair_radians(double base, int i, int rotary_dim);

std::vector<Trial> trials(const Ladder<RopeStretch>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::long_sequence
