#pragma once
// What the rungs of this ladder share. A rung is a plain function, which register.cpp wraps in a RopeStretch
// that checks the numbers first.

#include <span>
#include <vector>

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

// The exercise, mine.cpp: one function per step. The last one is mine(), above.

/// Step 1. Returns the angles per position of all rotary_dim / 2 pairs, in radians.
std::vector<double> my_radians(double base, int rotary_dim);
/// Step 2. Returns how many pairs turn at least once, by 2 pi radians, within `tokens` tokens.
int my_known_pairs(std::span<const double> radians, int tokens);

std::vector<ExerciseStep> steps();

std::vector<Trial> trials(const Ladder<RopeStretch>& ladder);
void register_rungs(Registry& registry);

}  // namespace rung::long_sequence
