// Rung 1: go on counting. Pair i turns by base^(-2i / rotary_dim) per position, also at positions that the
// model has never met. The fast pairs have been all the way round thousands of times and see nothing new. The
// slow ones have not: at base 10,000 and 32 numbers per head the slowest turns 5,623 positions for one
// radian, so within 1,024 positions the model has seen less than a fifth of one radian, and everything after
// that is new to it.

#include <cmath>

#include "long_sequence.hpp"

namespace rung::long_sequence {

double pair_radians(double base, int i, int rotary_dim) { return std::pow(base, -2.0 * i / rotary_dim); }

RopeFrequencies plain(const RopeStretchConfig& config) {
  RopeFrequencies result;
  for (int i = 0; i < config.rotary_dim / 2; ++i) {
    result.radians.push_back(pair_radians(config.rope.theta, i, config.rotary_dim));
  }
  return result;
}

}  // namespace rung::long_sequence
