#pragma once
// The oracle of this topic: the distribution that a draw must follow, written from the definitions and
// sharing no code with the rungs. Plain probabilities in float64, normalized again after every filter.

#include <cstdint>
#include <span>
#include <vector>

#include "seams/sampler.hpp"

namespace rung::sampling {

struct Distribution {
  std::vector<double> probability;  // [vocab], 0 for what was filtered out; sums to 1
  double tolerance = 0;             // how far rounding may move a border of the cumulative sum

  /// The token at u of the cumulative sum over ascending ids.
  std::int32_t at(double u) const;
  /// Whether `token` is at u, give or take the tolerance.
  bool accepts(std::int32_t token, double u) const;
};

/// REQUIRES: valid parameters, finite or -inf logits, not all masked. Greedy is a certain token.
Distribution oracle(std::span<const float> logits, std::span<const std::int32_t> prompt,
                    std::span<const std::int32_t> generated, const SamplingParams& params);

}  // namespace rung::sampling
