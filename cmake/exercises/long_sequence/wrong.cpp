// A learner's rung that is nearly right: the exponent of the new base lacks its d / (d - 2), so the slowest
// pair still goes a little beyond what it was trained for. The test of the exercise flow puts it in the place
// of 01_challenges/long_sequence/mine.cpp on a scratch copy and wants it refused.

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies mine(const RopeStretchConfig& config) {
  RopeFrequencies result;
  const double base = config.rope.theta * config.factor();  // the bug
  for (int i = 0; i < config.rotary_dim / 2; ++i)
    result.radians.push_back(pair_radians(base, i, config.rotary_dim));
  return result;
}

}  // namespace rung::long_sequence
