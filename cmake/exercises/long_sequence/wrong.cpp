// A wrong answer: the exponent of the new base lacks its d / (d - 2), so the slowest pair still goes a little
// beyond its trained angles.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "long_sequence.hpp"

namespace rung::long_sequence {

// Step 1. Returns the angles per position, in radians, of the pairs i = 0 .. rotary_dim / 2 - 1 of RoPE,
// without any stretch. pair_radians() of long_sequence.hpp computes one of them; write the formula yourself.
// Test: long_sequence.mine.1
//   radians[i] = base^(-2i / rotary_dim)
std::vector<double> my_radians(double base, int rotary_dim) {
  std::vector<double> radians;
  for (int i = 0; i < rotary_dim / 2; ++i) radians.push_back(std::pow(base, -2.0 * i / rotary_dim));
  return radians;
}

// Step 2. Returns how many pairs turn at least once within `tokens` tokens. Pair i turns by radians[i] per
// token, and one turn is 2 pi radians. The angles fall from pair to pair. A model that was trained with this
// context has met every angle of these pairs. Test: long_sequence.mine.2
int my_known_pairs(std::span<const double> radians, int tokens) {
  int known = 0;
  for (const double angle : radians) known += angle * tokens >= 2 * std::numbers::pi;
  return known;
}

// Step 3. Returns config.rotary_dim / 2 angles per position, the fastest first, for a context of
// config.context tokens and a model with the base config.rope.theta that was trained for a context of
// config.trained_context tokens. They are result.radians; result.magnitude may stay 1. The judge checks four
// properties, and the rest is your choice. Test: long_sequence.mine.3
//   1. If config.factor() is 1, the angles are those of step 1.
//   2. Every angle is positive, no larger than in step 1, and no larger than that of the pair before it.
//   3. The slowest pair, the last one, stays within its trained angles: its new angle times the context is at
//      most its old angle times the trained context.
//   4. The fastest pair keeps at least half of its angle, so that adjacent tokens stay apart. (If there is a
//      single pair, it is also the slowest one, and only the first three properties are checked.)
// linear, ntk and yarn each have the first three. What would you do with the pairs between?
RopeFrequencies mine(const RopeStretchConfig& config) {
  RopeFrequencies result;
  result.radians = my_radians(static_cast<double>(config.rope.theta) * config.factor(), config.rotary_dim);
  return result;
}

}  // namespace rung::long_sequence
