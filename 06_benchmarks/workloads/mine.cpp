// Your rung of `arrivals`, for any coefficient of variation above 0. README.md describes it. Test it with
// ./test.sh -R '^workloads.mine$'.
//
//   1. The gaps are independent, with the mean 1 / rate and the standard deviation cv / rate.
//   2. They have a gamma distribution with shape k = 1 / cv^2 and scale 1 / (k rate). The test compares the
//      whole distribution.
//   3. Use rng.uniform() and rng.normal() (core/rng.hpp) as random numbers. config.seed is the seed.

#include "core/error.hpp"
#include "workloads.hpp"

namespace rung::workloads {

std::unique_ptr<Arrivals> make_mine([[maybe_unused]] const ArrivalsConfig& config) {
  throw NotStarted("arrivals rung 'mine' is not started: write 06_benchmarks/workloads/mine.cpp");
}

}  // namespace rung::workloads
