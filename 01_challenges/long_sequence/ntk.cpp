// Rung 3: another base (bloc97 2023, "NTK-aware scaled RoPE", on Reddit; described in arXiv 2309.00071,
// section 3.1). Divide the slowest pair by s and leave the fastest alone, with a smooth passage between: that
// is what a larger base does. The slowest pair is number d / 2 - 1 and has exponent (d - 2) / d, so
//
//     (base * k)^-((d - 2) / d) = base^-((d - 2) / d) / s     gives     k = s^(d / (d - 2))
//
// The pairs between come out divided by less than s: some of them still reach angles that are new.

#include <cmath>

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies ntk(const RopeStretchConfig& config) {
  const double d = config.rotary_dim;
  const double base = config.rope.theta * std::pow(config.factor(), d / (d - 2));
  RopeFrequencies result;
  for (int i = 0; i < config.rotary_dim / 2; ++i) {
    result.radians.push_back(pair_radians(base, i, config.rotary_dim));
  }
  return result;
}

}  // namespace rung::long_sequence
