// The graded steps of the exercise: what to write, hints, and checks. A function of given random numbers has
// known answers; a function that draws is compared with the distribution.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "workloads.hpp"

namespace rung::workloads {
namespace {

Trial whole(std::string name, std::vector<double> u, double expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    const double got = my_whole_gamma(u);
    if (std::abs(got - expected) <= 1e-8 * std::max(1.0, expected)) return Verdict();
    return Verdict().fail(mismatch(what, fmt::format("{} numbers", u.size()), "the sum",
                                   fmt::format("{:.9g}", expected), fmt::format("{:.9g}", got)));
  });
}

std::vector<Trial> whole_checks() {
  return {
      whole("u = 0.25: -ln(0.75)", {0.25}, 0.28768207245),
      whole("u = 0.5, 0.5: twice ln(2)", {0.5, 0.5}, 1.38629436112),
      whole("u = 0.25, 0.75, 0.875", {0.25, 0.75, 0.875}, 3.75341797757),
      whole("u = 0 is a number that can be drawn", {0, 0.5}, 0.69314718056),
      whole("the largest u, 1 - 2^-53", {1 - 0x1p-53}, 36.7368005697),
      whole("1,000 times u = 0.75: their product would be too small for a double",
            std::vector<double>(1000, 0.75), 1386.29436112),
      whole("no numbers", {}, 0),
  };
}

/// Draws numbers of one shape and compares their mean, their variance and their distribution with theory.
Verdict judge_shape(const std::string& what, double shape) {
  constexpr int kNumbers = 20000;
  const double root = std::sqrt(kNumbers);
  const std::string size = fmt::format("{} numbers", kNumbers);
  Rng rng(7);
  std::vector<double> numbers;
  double sum = 0, squares = 0;
  for (int i = 0; i < kNumbers; ++i) {
    const double x = my_fractional_gamma(shape, rng);
    if (!(x >= 0 && std::isfinite(x)))
      return Verdict().fail(mismatch(what, size, fmt::format("number {}", i), "a finite number of at least 0",
                                     fmt::format("{}", x)));
    numbers.push_back(x);
    sum += x;
    squares += (x - shape) * (x - shape);
  }
  std::sort(numbers.begin(), numbers.end());
  double distance = 0;  // Kolmogorov-Smirnov
  for (int i = 0; i < kNumbers; ++i) {
    const double share = gamma_gap_share(numbers[static_cast<std::size_t>(i)] / shape, 1 / std::sqrt(shape));
    distance = std::max({distance, share - static_cast<double>(i) / kNumbers, (i + 1.0) / kNumbers - share});
  }
  // Five standard errors. The distance of one right generator in 20,000 is larger than its limit.
  const struct {
    const char* name;
    double expected, got, allowed;
  } tests[] = {
      {"the mean", shape, sum / kNumbers, 5 * std::sqrt(shape) / root},
      {"the variance", shape, squares / kNumbers, 5 * shape * std::sqrt(2 + 6 / shape) / root},
      {"the largest distance of the distribution from theory", 0, distance, 2.3 / root},
  };
  for (const auto& test : tests) {
    if (std::abs(test.got - test.expected) <= test.allowed) continue;
    return Verdict().fail(mismatch(what, size, test.name,
                                   fmt::format("{:.4g} to within {:.2g}", test.expected, test.allowed),
                                   fmt::format("{:.4g}", test.got)));
  }
  return {};
}

std::vector<Trial> fraction_checks() {
  std::vector<Trial> checks;
  for (const double shape : {0.5, 0.25, 0.75, 0.1, 0.95}) {
    checks.push_back(step_check(fmt::format("numbers of shape {}", shape),
                                [shape](const std::string& what) { return judge_shape(what, shape); }));
  }
  return checks;
}

/// The same random numbers with another rate: the gaps differ by a factor only.
Trial scaled(double cv) {
  return step_check(
      fmt::format("the coefficient of variation is {}: a rate of 4 has gaps a quarter as long", cv),
      [cv](const std::string& what) {
        ArrivalsConfig slow, fast;
        slow.cv = fast.cv = cv;
        fast.rate = 4;
        Rng a(11), b(11);
        for (int i = 0; i < 100; ++i) {
          const double expected = my_gap(slow, a) / 4, got = my_gap(fast, b);
          if (std::abs(got - expected) <= 1e-9 * expected) continue;
          return Verdict().fail(mismatch(what, "100 gaps", fmt::format("gap {}", i),
                                         fmt::format("{:.9g} s", expected), fmt::format("{:.9g} s", got)));
        }
        return Verdict();
      });
}

std::vector<Trial> gap_checks() { return {scaled(1), scaled(0.5), scaled(2)}; }

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "whole shapes",
      "Write `my_whole_gamma()`: the sum of exponential random numbers.",
      3,
      {"For which u is -ln(1 - u) at most x? The share of these u in [0, 1) is the probability that the "
       "exponential number is at most x.",
       "Add up -std::log(1 - x) for every x in u. ln(u) instead of ln(1 - u) would be infinite for u = 0.",
       "One logarithm of the product would be faster, but the product of many factors becomes 0."},
      whole_checks};
  list[1] = {
      "fractional shapes",
      "Write `my_fractional_gamma()`: a random number whose shape is between 0 and 1.",
      4,
      {"Rejection is a loop without a fixed number of rounds. Which random numbers must be new in each "
       "round?",
       "x = std::pow(rng.uniform(), 1 / shape) and y = std::pow(rng.uniform(), 1 / (1 - shape)). Return "
       "only if x + y <= 1 and x + y > 0.",
       "x / (x + y) is between 0 and 1, and a gamma variable has no upper bound. The factor -std::log(1 "
       "- rng.uniform()) is missing."},
      fraction_checks};
  list[2] = {
      "gaps",
      "Write `my_gap()`: the time to the next request, for any coefficient of variation.",
      6,
      {"For a coefficient of variation of 0.8, the shape is 1 / 0.64 = 1.5625. Which two numbers do you "
       "add?",
       "The whole part is std::floor(shape). Draw that many numbers with rng.uniform() for step 1. If a "
       "fraction is left, add a number of step 2.",
       "The sum has the mean `shape`. Divide it by shape * config.rate, so that the mean is 1 / rate."},
      gap_checks,
      true};
  return list;
}

}  // namespace rung::workloads
