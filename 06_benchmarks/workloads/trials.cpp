// The trials of `arrivals`. They check the mean of the gaps, their coefficient of variation, their whole
// distribution (Kolmogorov and Smirnov), and that a gap is not correlated with the next one.
//
// All checks use rescaled time: for any rate, expected(t_i) - expected(t_i-1) are gaps of a process of
// rate 1. So one judge serves constant and changing rates.

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/core.h>

#include "workloads.hpp"

namespace rung::workloads {

// The regularized incomplete gamma function P(k, k x), by its series where that converges fast, and otherwise
// by Lentz's continued fraction (Abramowitz and Stegun 6.5.29, 6.5.31).
double gamma_gap_share(double x, double cv) {
  if (x <= 0) return 0;
  const double k = 1 / (cv * cv), y = k * x;
  const double front = std::exp(k * std::log(y) - y - std::lgamma(k));
  if (y < k + 1) {
    double term = 1 / k, sum = term;
    for (double n = k + 1; term > sum * 1e-16; ++n) sum += term *= y / n;
    return sum * front;
  }
  constexpr double kTiny = 1e-300;
  double b = y + 1 - k, c = 1 / kTiny, d = 1 / b, fraction = d;
  for (int i = 1; i < 10000; ++i) {
    const double a = -i * (i - k);
    b += 2;
    d = 1 / std::max(std::abs(a * d + b), kTiny) * (a * d + b < 0 ? -1 : 1);
    c = b + a / c;
    if (std::abs(c) < kTiny) c = kTiny;
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return 1 - front * fraction;
}

namespace {

constexpr int kGaps = 20000;
// Of gaps, which are differences of times: less than this share of the mean is lost in rounding. Strong
// bursts have many that short.
constexpr double kResolution = 1e-9;

/// A failed verdict where `got` is further than `tolerance` from `expected`.
bool differs(const char* what, double expected, double got, double tolerance, Verdict& verdict) {
  verdict.error = std::max(verdict.error, std::abs(got - expected) / tolerance);  // of all checks, the worst
  verdict.tolerance = 1;
  if (std::abs(got - expected) <= tolerance) return false;
  verdict.fail(mismatch(what, fmt::format("{} gaps", kGaps), "all",
                        fmt::format("{} to within {}", expected, tolerance), fmt::format("{}", got)));
  return true;
}

Verdict judge(const Ladder<Arrivals>& ladder, const std::string& rung, const ArrivalsConfig& config) {
  Verdict verdict;
  const auto arrivals = ladder.make(rung, config);
  std::vector<double> gaps;
  double now = 0, expected = 0;
  for (int i = 0; i < kGaps; ++i) {
    const double gap = arrivals->gap();
    if (!(gap >= 0 && std::isfinite(gap))) {
      fail("{}", mismatch("gaps", fmt::format("{} gaps", kGaps), fmt::format("gap {}", i),
                          "a finite gap of at least 0 s", fmt::format("{}", gap)));
    }
    now += gap;
    const double next = arrivals->expected(now);
    gaps.push_back(next - expected);
    expected = next;
  }
  // A rung may move requests only within a period: whole periods have the requested rate.
  const double periods = std::ceil(now / config.period_s) * config.period_s;
  const double whole = config.rate * periods;
  if (differs("requests expected in whole periods", whole, arrivals->expected(periods), 1e-9 * whole,
              verdict))
    return verdict;

  const double cv = config.cv, root = std::sqrt(kGaps);
  double sum = 0, squares = 0, products = 0;
  for (const double gap : gaps) sum += gap;
  const double mean = sum / kGaps;
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    squares += (gaps[i] - mean) * (gaps[i] - mean);
    if (i > 0) products += (gaps[i] - mean) * (gaps[i - 1] - mean);
  }
  // Five standard errors each. Those of the coefficient of variation are from the delta method for gamma
  // variables.
  const double spread = std::sqrt(squares / kGaps) / mean;
  if (differs("the mean gap times the rate", 1, mean, 5 * cv / root + 1e-9, verdict)) return verdict;
  const double spread_error = cv * std::sqrt((1 + cv * cv) / 2) / root;
  if (differs("the coefficient of variation", cv, spread, 5 * spread_error + 1e-6, verdict)) return verdict;
  if (cv == 0) return verdict;
  if (differs("the correlation of a gap with the next one", 0, products / squares, 5 / root, verdict))
    return verdict;

  std::sort(gaps.begin(), gaps.end());
  double distance = 0;
  for (int i = 0; i < kGaps; ++i) {
    if (gaps[static_cast<std::size_t>(i)] < kResolution) continue;  // it counts for those above it
    const double share = gamma_gap_share(gaps[static_cast<std::size_t>(i)], cv);
    distance = std::max({distance, share - static_cast<double>(i) / kGaps, (i + 1.0) / kGaps - share});
  }
  // One right generator in a thousand is further away than that; seeds are fixed.
  differs("the largest distance of the distribution from theory (Kolmogorov-Smirnov)", 0, distance,
          1.95 / root, verdict);
  return verdict;
}

ArrivalsConfig config_of(double rate, double cv) {
  ArrivalsConfig config;
  config.rate = rate;
  config.cv = cv;
  config.period_s = 37;
  config.seed = 20260613;
  return config;
}

}  // namespace

std::vector<Trial> trials(const Ladder<Arrivals>& ladder) {
  std::vector<Trial> result;
  for (const double cv : {0.0, 0.5, 0.8, 1.0, 1.7, 3.0}) {
    for (const double rate : {0.2, 40.0}) {
      const ArrivalsConfig config = config_of(rate, cv);
      Trial trial;
      trial.name = fmt::format("{} requests per second, coefficient of variation {}", rate, cv);
      trial.judge = judging([&ladder, config](const std::string& rung, int) {
        return ladder.supports(rung, config) ? judge(ladder, rung, config) : Verdict::unsupported();
      });
      if (rate == 40.0 && (cv == 1.0 || cv == 3.0)) {
        trial.name = fmt::format("{} gaps with a coefficient of variation of {}", kGaps, cv);
        trial.timed = true;
        trial.work = {sizeof(double) * kGaps, 0};
        trial.prepare = [&ladder, config](const std::string& rung, int) -> std::function<void()> {
          const std::shared_ptr<Arrivals> arrivals = ladder.make(rung, config);
          return [arrivals, gaps = std::vector<double>(kGaps)]() mutable {
            for (double& gap : gaps) gap = arrivals->gap();
          };
        };
      }
      result.push_back(std::move(trial));
    }
  }
  return result;
}

}  // namespace rung::workloads
