// A learner's rung that passes: the angle of every pair is divided by a power of the stretch that grows from
// 0 at the fastest to 1 at the slowest. The test of the exercise flow puts it in the place of
// 01_challenges/long_sequence/mine.cpp on a scratch copy.

#include <cmath>

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies mine(const RopeStretchConfig& config) {
  RopeFrequencies result;
  const int pairs = config.rotary_dim / 2;
  for (int i = 0; i < pairs; ++i) {
    const double share = pairs > 1 ? static_cast<double>(i) / (pairs - 1) : 1.0;
    result.radians.push_back(pair_radians(config.rope.theta, i, config.rotary_dim) /
                             std::pow(config.factor(), share));
  }
  return result;
}

}  // namespace rung::long_sequence
