// Your rung: arrivals of any unevenness. The lesson beside this file says which test judges it.
//
// The idea:
//   1. gaps with mean 1 / rate and standard deviation cv / rate, independent of each other
//   2. gamma-distributed, shape k = 1 / cv^2 and scale 1 / (k rate): the judge compares the whole
//   distribution
//   3. rng.uniform() and rng.normal() (core/rng.hpp) are the randomness; config.seed is its seed

#include "core/error.hpp"
#include "workloads.hpp"

namespace rung::workloads {

std::unique_ptr<Arrivals> make_mine([[maybe_unused]] const ArrivalsConfig& config) {
  throw NotStarted("arrivals rung 'mine' is not started: write 06_benchmarks/workloads/mine.cpp");
}

}  // namespace rung::workloads
