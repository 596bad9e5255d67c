// Rung 2: squeeze (position interpolation: Chen et al. 2023, arXiv 2306.15595; the same month kaiokendev on
// the web). For s times the length every position is divided by s: position 4,000 of a model trained for
// 1,024 becomes 1,000. No angle is new. But neighbors, which used to be one radian apart in the fastest
// pair, are now 1 / s apart, and that pair is how a model tells the word before from the word before that.

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies linear(const RopeStretchConfig& config) {
  RopeFrequencies result;
  for (int i = 0; i < config.rotary_dim / 2; ++i) {
    result.radians.push_back(pair_radians(config.rope.theta, i, config.rotary_dim) / config.factor());
  }
  return result;
}

}  // namespace rung::long_sequence
