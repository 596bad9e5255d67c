#pragma once
// Exact numbers for the lesson: a mixture of requests that reverses a result, means of ratios that favor both
// sides, and the order of the runs on a machine that becomes slower.

#include <cmath>
#include <span>
#include <string_view>

namespace rung::optimization_impact {

/// Requests of one kind, each of which generates 100 tokens.
struct Group {
  const char* prompts;
  int requests;
  double tokens_per_s;
  double tokens() const { return 100.0 * requests; }
  double seconds() const { return tokens() / tokens_per_s; }
};

// Variant A is faster on both kinds of prompts. In production, A mainly served long prompts, and B short
// ones.
inline constexpr Group kServedByA[] = {{"100 tokens", 20, 80}, {"4,000 tokens", 80, 20}};
inline constexpr Group kServedByB[] = {{"100 tokens", 80, 72}, {"4,000 tokens", 20, 18}};
// The same requests for both.
inline constexpr Group kSameForA[] = {{"100 tokens", 50, 80}, {"4,000 tokens", 50, 20}};
inline constexpr Group kSameForB[] = {{"100 tokens", 50, 72}, {"4,000 tokens", 50, 18}};

/// Returns all tokens divided by all seconds.
inline double tokens_per_s(std::span<const Group> groups) {
  double tokens = 0, seconds = 0;
  for (const Group& group : groups) {
    tokens += group.tokens();
    seconds += group.seconds();
  }
  return tokens / seconds;
}

/// The seconds of two variants on two workloads: each variant is twice as fast as the other on one of them.
inline constexpr double kSecondsOfA[] = {10, 20}, kSecondsOfB[] = {5, 40};

inline double mean_of_ratios(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] / b[i];
  return sum / static_cast<double>(a.size());
}
inline double ratio_of_sums(std::span<const double> a, std::span<const double> b) {
  double sum_a = 0, sum_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum_a += a[i];
    sum_b += b[i];
  }
  return sum_a / sum_b;
}
inline double geometric_mean_of_ratios(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::log(a[i] / b[i]);
  return std::exp(sum / static_cast<double>(a.size()));
}

/// Returns the ratio of the total times of two equal variants, A and B, that run in the order `runs`, if
/// every run takes 1 % longer than the one before.
inline double ratio_on_slowing_machine(std::string_view runs) {
  double a = 0, b = 0, seconds = 1;
  for (const char run : runs) {
    (run == 'A' ? a : b) += seconds;
    seconds *= 1.01;
  }
  return a / b;
}
inline constexpr std::string_view kOrders[] = {"AAAABBBB", "ABABABAB", "ABBAABBA"};

}  // namespace rung::optimization_impact
