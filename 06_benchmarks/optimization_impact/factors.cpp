// Quantiles of the normal and of Student's t distribution. Both are found by bisection: they are needed once
// per interval, so a short program is worth more than a fast one.

#include <cmath>

#include "optimization_impact.hpp"

namespace rung::optimization_impact {
namespace {

/// Returns the t at which the rising function `within` reaches `confidence`.
template <class Within>
double bisect(double confidence, const Within& within) {
  double low = 0, high = 1;
  while (within(high) < confidence) high *= 2;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    (within(middle) < confidence ? low : high) = middle;
  }
}

/// Returns the probability that |T| <= t, by the finite sums for whole degrees of freedom (Abramowitz and
/// Stegun, 26.7.3 and 26.7.4).
double student_within(double t, int degrees) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(angle);
  const bool odd = degrees % 2 != 0;
  double sum = 0, term = odd ? cosine : 1;
  for (int power = odd ? 1 : 0; power <= degrees - 2; power += 2) {
    sum += term;
    term *= cosine * cosine * (power + 1) / (power + 2);
  }
  return odd ? 2 / 3.14159265358979323846 * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

}  // namespace

double normal_quantile(double confidence) {
  return bisect(confidence, [](double z) { return std::erf(z / std::sqrt(2.0)); });
}

double student_quantile(double confidence, int degrees) {
  return bisect(confidence, [degrees](double t) { return student_within(t, degrees); });
}

double few_rounds_factor(int rounds, double confidence) {
  const double n = rounds;
  return student_quantile(confidence, rounds - 1) / normal_quantile(confidence) * std::sqrt(n / (n - 1));
}

}  // namespace rung::optimization_impact
