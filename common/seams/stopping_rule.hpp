#pragma once
// When a comparison ends that measures until its interval is narrow enough.
//
// Looking at the interval after each round and stopping at the first narrow one selects intervals that are
// narrow by chance, and these miss the ratio more often. Three measures compensate for this: a minimum number
// of rounds, few looks, and a higher confidence for the intervals
// (06_benchmarks/optimization_impact/README.md has the figures).

#include "seams/ratio_interval.hpp"

namespace rung {

struct StoppingRule {
  int least_rounds = 10;
  int every = 5;  // rounds between two looks
  int most_rounds = 30;
  double error_share = 0.5;  // the share of the error probability that the rung may use

  /// Returns the confidence to ask the rung for, so that a share `confidence` of the final intervals contain
  /// the ratio. For 0.95, this is 0.975.
  double confidence_of_rung(double confidence) const { return 1 - error_share * (1 - confidence); }
  /// Returns whether to stop after `rounds` rounds, if sqrt(high / low) - 1 may be up to `half_width`.
  bool stops(int rounds, const RatioEstimate& estimate, double half_width) const {
    if (rounds >= most_rounds) return true;
    const bool looks = rounds >= least_rounds && (rounds - least_rounds) % every == 0;
    return looks && estimate.high <= estimate.low * (1 + half_width) * (1 + half_width);
  }
};

}  // namespace rung
