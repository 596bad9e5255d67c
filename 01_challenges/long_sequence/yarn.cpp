// Rung 4: decide pair by pair (YaRN: Peng et al. 2023, arXiv 2309.00071). A pair that turned more than 32
// times within the trained length has shown every angle many times: leave it. One that turned less than once
// has shown only part of the circle: divide it by s. Between these a ramp over the pairs' numbers.
//
// Longer contexts have more keys, and softmax spreads over them. YaRN sharpens it: queries and keys grow by
// 0.1 ln(s) + 1 each, which goes into cos and sin and costs nothing.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "long_sequence.hpp"

namespace rung::long_sequence {
namespace {

constexpr double kFast = 32, kSlow = 1;  // turns within the trained length

/// The (fractional) number of the pair that turns so often: positions * base^(-2i / d) = turns * 2 pi, solved
/// for i.
double pair_that_turns(const RopeStretchConfig& config, double turns) {
  const double radians = turns * 2 * std::numbers::pi / config.trained_context;
  return -config.rotary_dim * std::log(radians) / (2 * std::log(static_cast<double>(config.rope.theta)));
}

}  // namespace

RopeFrequencies yarn(const RopeStretchConfig& config) {
  const double s = config.factor();
  // Whole pairs, as the authors' code has it.
  const double kept = std::max(std::floor(pair_that_turns(config, kFast)), 0.0);
  const double divided = std::min(std::ceil(pair_that_turns(config, kSlow)), config.rotary_dim - 1.0);
  const double width = std::max(divided - kept, 0.001);

  RopeFrequencies result;
  for (int i = 0; i < config.rotary_dim / 2; ++i) {
    const double share = std::clamp((i - kept) / width, 0.0, 1.0);  // 0: left alone, 1: divided by s
    const double radians = pair_radians(config.rope.theta, i, config.rotary_dim);
    result.radians.push_back(share * radians / s + (1 - share) * radians);
  }
  result.magnitude = s > 1 ? 0.1 * std::log(s) + 1 : 1;
  return result;
}

}  // namespace rung::long_sequence
