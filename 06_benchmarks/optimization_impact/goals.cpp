// What makes a correct interval a good one: with few rounds it contains the true ratio as often as it says,
// and it is not wider than necessary.

#include "noise.hpp"

namespace rung::optimization_impact {

std::vector<Goal> goals(const Ladder<RatioInterval>& ladder) {
  constexpr int kComparisons = 800;
  const auto missed = [&ladder](Noise noise, int rounds) {
    return [&ladder, noise, rounds](const std::string& rung) {
      return static_cast<double>(coverage(ladder, rung, noise, rounds, kComparisons).missed);
    };
  };
  const auto width = [&ladder](const std::string& rung) {
    return 100 * coverage(ladder, rung, Noise::drift, 15, kComparisons).median_width;
  };
  return {{"intervals that miss the true ratio, of 800 comparisons with five quiet rounds", "", "stretched",
           1.3, missed(Noise::quiet, 5)},
          {"intervals that miss the true ratio, of 800 comparisons with eight rounds and drift", "",
           "stretched", 1.3, missed(Noise::drift, 8)},
          {"median width of 800 intervals from 15 rounds with drift", "%", "paired", 1.35, width}};
}

}  // namespace rung::optimization_impact
