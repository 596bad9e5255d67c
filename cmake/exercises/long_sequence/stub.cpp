// Your stretch of the positions, in three steps. The lesson beside this file explains them. Judge with
//
//   rung exercises long_sequence          builds this file and judges all steps
//   rung exercises long_sequence --hint   shows one hint for the step that does not pass yet
//
// The fields of the configuration are in common/seams/rope.hpp. config.factor() is the context divided by the
// trained context, or 1 if the context is not longer. Compute in double.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "long_sequence.hpp"

namespace rung::long_sequence {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 01_challenges/long_sequence/mine.cpp", function));
}

}  // namespace

// Step 1. Returns the angles per position, in radians, of the pairs i = 0 .. rotary_dim / 2 - 1 of RoPE,
// without any stretch. pair_radians() of long_sequence.hpp computes one of them; write the formula yourself.
// Test: long_sequence.mine.1
//   radians[i] = base^(-2i / rotary_dim)
std::vector<double> my_radians([[maybe_unused]] double base, [[maybe_unused]] int rotary_dim) {
  not_started("my_radians()");
}

// Step 2. Returns how many pairs turn at least once within `tokens` tokens. Pair i turns by radians[i] per
// token, and one turn is 2 pi radians. The angles fall from pair to pair. A model that was trained with this
// context has met every angle of these pairs. Test: long_sequence.mine.2
int my_known_pairs([[maybe_unused]] std::span<const double> radians, [[maybe_unused]] int tokens) {
  not_started("my_known_pairs()");
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
RopeFrequencies mine([[maybe_unused]] const RopeStretchConfig& config) { not_started("mine()"); }

}  // namespace rung::long_sequence
