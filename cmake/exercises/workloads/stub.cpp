// Your arrivals, in three steps: gamma-distributed gaps of any coefficient of variation above 0. The lesson
// beside this file explains them. Judge with
//
//   rung exercises workloads          builds this file and judges all steps
//   rung exercises workloads --hint   shows one hint for the step that does not pass yet
//
// A gamma distribution with shape k has the mean k and the variance k. The sum of two independent gamma
// variables with shapes a and b has a gamma distribution with shape a + b.

#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "workloads.hpp"

namespace rung::workloads {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(fmt::format("{} is not started: write it in 06_benchmarks/workloads/mine.cpp", function));
}

}  // namespace

// Step 1. Shapes that are whole numbers. The u[i] are independent random numbers, uniformly distributed in
// [0, 1). Then -ln(1 - u[i]) has an exponential distribution with mean 1, which is the gamma distribution
// with shape 1. Returns the sum of these exponential numbers, which has the shape u.size(); 0 if u is empty.
// Test: workloads.mine.1
double my_whole_gamma([[maybe_unused]] std::span<const double> u) { not_started("my_whole_gamma()"); }

// Step 2. Shapes between 0 and 1. Draws a gamma variable with `shape`, 0 < shape < 1, by Johnk's method:
//   1. Draw x = u^(1 / shape) and y = v^(1 / (1 - shape)) from two uniformly distributed numbers u and v.
//   2. Repeat this until x + y <= 1 and x + y > 0.
//   3. Return x / (x + y), multiplied by a new exponential number with mean 1.
// rng.uniform() returns the next random number, uniformly distributed in [0, 1). A different exact method is
// allowed. Test: workloads.mine.2
double my_fractional_gamma([[maybe_unused]] double shape, [[maybe_unused]] Rng& rng) {
  not_started("my_fractional_gamma()");
}

// Step 3. Returns the seconds to the next request. The gaps are independent, with the mean 1 / config.rate
// and the standard deviation config.cv / config.rate, where config.cv > 0. They have a gamma distribution
// with shape k = 1 / cv^2 and scale 1 / (k rate): multiply a gamma variable of shape k by this scale. k is
// the sum of a whole number and a fraction from 0 to below 1, and the whole number can be 0. Test:
// workloads.mine.3
double my_gap([[maybe_unused]] const ArrivalsConfig& config, [[maybe_unused]] Rng& rng) {
  not_started("my_gap()");
}

}  // namespace rung::workloads
