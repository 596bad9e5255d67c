// Your rung. The lesson beside this file says what it should do and which test judges it.
//
// The idea: return config.rotary_dim / 2 angles per position, fastest first, for a context of config.context
// tokens although the model was trained for config.trained_context. What a stretch must do to pass:
//   1. where the context is no longer than trained (config.factor() is 1), change nothing: pair_radians()
//   2. every angle is positive, none is larger than it was, and they still fall from pair to pair
//   3. the slowest pair must not leave what it was trained for: its angle times the new context is at
//      most its old angle times the trained context
//   4. the fastest pair keeps at least half of its angle: neighbours must stay apart
// linear, ntk and yarn each obey the first three. What would you do with the pairs between?

#include "long_sequence.hpp"

namespace rung::long_sequence {

RopeFrequencies mine([[maybe_unused]] const RopeStretchConfig& config) {
  throw NotStarted("rope rung 'mine' is not started: write 01_challenges/long_sequence/mine.cpp");
}

}  // namespace rung::long_sequence
