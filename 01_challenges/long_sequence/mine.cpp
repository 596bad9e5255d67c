// Your rung. README.md in this folder says what it must do and which test judges it.
//
// Return config.rotary_dim / 2 angles per position, the fastest first, for a context of config.context tokens
// of a model that was trained for config.trained_context. The test checks four properties:
//   1. If the context is not longer than trained (config.factor() is 1), the angles are those of
//      pair_radians().
//   2. Every angle is positive and no larger than before, and the angles still fall from pair to pair.
//   3. The slowest pair stays within its trained angles: its new angle times the new context is at most
//      its old angle times the trained context.
//   4. The fastest pair keeps at least half of its angle, so that adjacent tokens stay apart.
// linear, ntk and yarn each have the first three. What would you do with the pairs between?

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies mine([[maybe_unused]] const RopeStretchConfig& config) {
  throw NotStarted("rope rung 'mine' is not started: write 01_challenges/long_sequence/mine.cpp");
}

}  // namespace rung::long_sequence
