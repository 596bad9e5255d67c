// The trials of `ratio_interval`: properties that every rung has, and oracles in float64. The oracle of a
// bootstrap rung is the exact distribution over all resamples of few rounds, so its tolerance follows from
// the number of resamples that the rung draws.

#include <numeric>
#include <utility>

#include <fmt/core.h>

#include "noise.hpp"

namespace rung::optimization_impact {
namespace {

struct Case {
  std::string name;
  Rounds rounds;
  bool timed = false;
  /// Judges the rung on the rounds.
  std::function<Verdict(const Ladder<RatioInterval>&, const std::string& rung, const Case&)> judge;
};

std::string shape_of(const Case& c) { return fmt::format("{} rounds", c.rounds.first_s.size()); }

RatioEstimate estimate(const Ladder<RatioInterval>& ladder, const std::string& rung, const Rounds& rounds,
                       std::uint64_t seed = 1) {
  RatioIntervalConfig config;
  config.seed = seed;
  return ladder.make(rung, config)->estimate(rounds.first_s, rounds.second_s);
}

/// Passes if each of the three values is the expected one, up to the share `allowed`.
Verdict same(const Case& c, const RatioEstimate& expected, const RatioEstimate& got, double allowed) {
  const std::pair<const char*, double RatioEstimate::*> fields[] = {
      {"ratio", &RatioEstimate::ratio}, {"low", &RatioEstimate::low}, {"high", &RatioEstimate::high}};
  Verdict verdict;
  for (const auto& [field, member] : fields) {
    const double e = expected.*member, g = got.*member;
    if (g == e) continue;  // infinity, too
    if (!(std::abs(g - e) <= allowed * std::abs(e))) {
      return verdict.fail(
          mismatch(c.name, shape_of(c), field, fmt::format("{:.12g}", e), fmt::format("{:.12g}", g)));
    }
    verdict.error = std::max(verdict.error, std::abs(g - e));
  }
  verdict.tolerance = allowed * std::abs(expected.high);
  return verdict;
}

bool ignores_rounds(const std::string& rung) { return rung == "means" || rung == "unpaired"; }

Verdict judge_one_round(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  return same(c, of_one_round(c.rounds.first_s[0], c.rounds.second_s[0]), estimate(ladder, rung, c.rounds),
              0);
}

Verdict judge_identical(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  // For a rung that ignores the rounds, the times of different rounds are noise.
  if (ignores_rounds(rung) && c.rounds.first_s[0] != c.rounds.first_s[1]) {
    return Verdict::unsupported("it ignores the rounds");
  }
  return same(c, {1, 1, 1}, estimate(ladder, rung, c.rounds), 0);
}

Verdict judge_scaled(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  Rounds scaled = c.rounds;
  for (double& s : scaled.first_s) s *= 1000.0 / 3;
  for (double& s : scaled.second_s) s *= 1000.0 / 3;
  return same(c, estimate(ladder, rung, c.rounds), estimate(ladder, rung, scaled), 1e-11);
}

Verdict judge_order(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  const RatioEstimate e = estimate(ladder, rung, c.rounds);
  if (e.low >= 0 && e.low <= e.ratio && e.ratio <= e.high) return {};
  return Verdict().fail(mismatch(c.name, shape_of(c), "low, ratio, high",
                                 std::string("0 <= low <= ratio <= high"),
                                 fmt::format("{}, {}, {}", e.low, e.ratio, e.high)));
}

Verdict judge_seed(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  return same(c, estimate(ladder, rung, c.rounds, 7), estimate(ladder, rung, c.rounds, 7), 0);
}

/// A value, and its probability.
struct Weighted {
  double value, share;
};

/// Returns the value below which a share `p` of `values`, which are sorted, lies.
double exact_percentile(const std::vector<Weighted>& values, double p) {
  double sum = 0;
  for (const Weighted& v : values) {
    sum += v.share;
    if (sum >= p) return v.value;
  }
  return values.back().value;
}

/// A resample without its order: how often each round is drawn, and the probability of these counts.
struct Draw {
  std::vector<int> counts;
  double share;
};

/// Returns all resamples of n rounds. There are n^n of them, but far fewer without their order.
std::vector<Draw> all_draws(int n) {
  std::vector<Draw> done;
  std::vector<int> counts(static_cast<std::size_t>(n), 0);
  const std::function<void(int, int, double)> fill = [&](int round, int left, double share) {
    const auto at = static_cast<std::size_t>(round);
    if (round == n - 1) {
      counts[at] = left;
      done.push_back({counts, share});
      return;
    }
    // The number of ways to give `count` of the remaining draws to this round.
    double ways = 1;
    for (int count = 0; count <= left; ++count) {
      counts[at] = count;
      fill(round + 1, left - count, share * ways);
      ways = ways * (left - count) / (count + 1);
    }
  };
  fill(0, n, std::pow(static_cast<double>(n), -n));
  return done;
}

double sum_of(const std::vector<double>& seconds, const std::vector<int>& counts) {
  return std::inner_product(seconds.begin(), seconds.end(), counts.begin(), 0.0);
}

double median_of(const Rounds& rounds, const std::vector<int>& counts) {
  std::vector<double> drawn;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    drawn.insert(drawn.end(), static_cast<std::size_t>(counts[i]),
                 std::log(rounds.first_s[i] / rounds.second_s[i]));
  }
  std::sort(drawn.begin(), drawn.end());
  return std::exp((drawn[drawn.size() / 2] + drawn[(drawn.size() - 1) / 2]) / 2);
}

/// Returns the exact distribution of the resampled ratio of a bootstrap rung, sorted.
std::vector<Weighted> exact_distribution(const std::string& rung, const Rounds& rounds) {
  const std::vector<Draw> draws = all_draws(static_cast<int>(rounds.first_s.size()));
  std::vector<Weighted> values;
  for (const Draw& draw : draws) {
    if (rung == "median") {
      values.push_back({median_of(rounds, draw.counts), draw.share});
    } else if (rung == "unpaired") {
      for (const Draw& other : draws) {
        values.push_back({sum_of(rounds.first_s, draw.counts) / sum_of(rounds.second_s, other.counts),
                          draw.share * other.share});
      }
    } else {
      values.push_back(
          {sum_of(rounds.first_s, draw.counts) / sum_of(rounds.second_s, draw.counts), draw.share});
    }
  }
  std::sort(values.begin(), values.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  return values;
}

/// The interval of `means` and of `trimmed`, by other formulas than theirs.
RatioEstimate closed_form(const std::string& rung, const Rounds& rounds) {
  const std::size_t n = rounds.first_s.size();
  const double size = static_cast<double>(n);
  const std::vector<int> once(n, 1);
  if (rung == "means") {
    const double first = sum_of(rounds.first_s, once), second = sum_of(rounds.second_s, once);
    double squares = 0;  // the variances by the shifted sums of squares
    for (const auto& [seconds, sum] :
         {std::pair(&rounds.first_s, first), std::pair(&rounds.second_s, second)}) {
      double raw = 0;
      for (const double s : *seconds) raw += s * s;
      squares += (raw - sum * sum / size) / (size - 1) * size / (sum * sum);
    }
    const double error = 1.959963984540054 * std::sqrt(squares);
    return {first / second, first / second * (1 - error), first / second * (1 + error)};
  }
  // Student's t for 95 % with 1, 2, … degrees of freedom.
  constexpr double kStudent[] = {12.706204736174696, 4.302652729749463, 3.182446305283706,
                                 2.7764451051977910};
  std::vector<double> logs;
  for (std::size_t i = 0; i < n; ++i)
    logs.push_back(std::log(rounds.first_s[i]) - std::log(rounds.second_s[i]));
  std::sort(logs.begin(), logs.end());
  const std::size_t cut = n >= 5 ? 1 : 0;  // the cases have at most nine rounds
  const double center = std::accumulate(logs.begin() + static_cast<std::ptrdiff_t>(cut),
                                        logs.end() - static_cast<std::ptrdiff_t>(cut), 0.0) /
                        static_cast<double>(n - 2 * cut);
  if (cut > 0) {
    logs.front() = logs[1];
    logs.back() = logs[n - 2];
  }
  double squares = 0;  // the sum of squares by the differences of all pairs
  for (const double a : logs)
    for (const double b : logs) squares += (a - b) * (a - b) / (2 * size);
  const double kept = static_cast<double>(n - 2 * cut);
  const double width =
      (cut > 0 ? (size + 1) / size : 1) * kStudent[n - 2 * cut - 2] * std::sqrt(squares / kept / (kept - 1));
  return {std::exp(center), std::exp(center) / std::exp(width), std::exp(center) * std::exp(width)};
}

/// Compares an interval with the exact distribution of the resamples.
Verdict judge_exact(const Ladder<RatioInterval>& ladder, const std::string& rung, const Case& c) {
  const RatioEstimate got = estimate(ladder, rung, c.rounds);
  if (rung == "means" || rung == "trimmed") return same(c, closed_form(rung, c.rounds), got, 1e-11);
  const std::vector<Weighted> exact = exact_distribution(rung, c.rounds);
  const int n = static_cast<int>(c.rounds.first_s.size());
  const std::vector<int> once(static_cast<std::size_t>(n), 1);
  const double ratio = rung == "median" ? median_of(c.rounds, once)
                                        : sum_of(c.rounds.first_s, once) / sum_of(c.rounds.second_s, once);
  // The percentile of 2,000 resamples is that of a share which differs from 2.5 % by a binomial error.
  const RatioIntervalConfig config;
  const double tail = (1 - config.confidence) / 2;
  const double slack = 5 * std::sqrt(tail * (1 - tail) / config.resamples);
  const double factor = rung == "stretched" || rung == "mine" ? few_rounds_factor(n, config.confidence) : 1;
  const auto bound = [&](double p) { return ratio * std::pow(exact_percentile(exact, p) / ratio, factor); };
  RatioEstimate least = {ratio, bound(tail - slack), bound(1 - tail - slack)};
  RatioEstimate most = {ratio, bound(tail + slack), bound(1 - tail + slack)};
  if (rung == "mine") {
    // The learner may choose the center, and whether and how to correct the interval.
    const double narrow = 0.4 * std::log(most.low / ratio) / factor, wide = 2 * std::log(least.low / ratio);
    const double short_way = 0.4 * std::log(least.high / ratio) / factor,
                 long_way = 2 * std::log(most.high / ratio);
    least = {ratio * std::exp(narrow), ratio * std::exp(wide), ratio * std::exp(short_way)};
    most = {ratio * std::exp(short_way), ratio * std::exp(narrow), ratio * std::exp(long_way)};
  } else {
    least.ratio *= 1 - 1e-12;
    most.ratio *= 1 + 1e-12;
  }
  const std::pair<const char*, double RatioEstimate::*> fields[] = {
      {"ratio", &RatioEstimate::ratio}, {"low", &RatioEstimate::low}, {"high", &RatioEstimate::high}};
  Verdict verdict;
  for (const auto& [field, member] : fields) {
    const double low = least.*member * (1 - 1e-12), high = most.*member * (1 + 1e-12), value = got.*member;
    if (!(value >= low && value <= high)) {
      return verdict.fail(mismatch(c.name, shape_of(c), field,
                                   fmt::format("from {:.9g} to {:.9g}", low, high),
                                   fmt::format("{:.9g}", value)));
    }
  }
  verdict.tolerance = most.high - least.high;
  return verdict;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"one round: from 0 to infinity", {{3}, {2}}, false, judge_one_round});
  all.push_back(
      {"identical sides, equal rounds: exactly 1", {{0.3, 0.3}, {0.3, 0.3}}, false, judge_identical});
  all.push_back({"identical sides, different rounds: exactly 1",
                 {{0.1, 0.7, 0.3, 0.9, 0.2, 0.5, 0.4}, {0.1, 0.7, 0.3, 0.9, 0.2, 0.5, 0.4}},
                 false,
                 judge_identical});
  for (const Noise noise : kNoises) {
    for (const int rounds : {2, 5, 9, 30}) {
      all.push_back({fmt::format("{} noise: low <= ratio <= high", name_of(noise)),
                     simulated_rounds(noise, rounds, 1), false, judge_order});
    }
  }
  all.push_back(
      {"both sides times 333: nothing changes", simulated_rounds(Noise::skewed, 8, 2), false, judge_scaled});
  all.push_back(
      {"the same seed gives the same interval", simulated_rounds(Noise::skewed, 12, 3), false, judge_seed});
  for (const int rounds : {3, 4, 5, 6}) {
    all.push_back({"quiet noise, exact distribution of the resamples",
                   simulated_rounds(Noise::quiet, rounds, 4), false, judge_exact});
    all.push_back({"skewed noise, exact distribution of the resamples",
                   simulated_rounds(Noise::skewed, rounds, 5), false, judge_exact});
  }
  all.push_back({"30 rounds with skewed noise, 2,000 resamples", simulated_rounds(Noise::skewed, 30, 6), true,
                 judge_order});
  return all;
}

}  // namespace

std::vector<Trial> trials(const Ladder<RatioInterval>& ladder) {
  const auto judge = [&ladder](const std::string& rung, int /*threads*/, const Case& c) {
    return c.judge(ladder, rung, c);
  };
  return trials_of(cases(), judge, [&ladder](Trial& trial, const std::shared_ptr<const Case>& c) {
    if (!c->timed) return;
    trial.work = {2 * sizeof(double) * static_cast<double>(c->rounds.first_s.size()), 0};
    trial.prepare = [&ladder, c](const std::string& rung, int) -> std::function<void()> {
      const std::shared_ptr<const RatioInterval> interval = ladder.make(rung, {});
      static_cast<void>(c->rounds.estimate(*interval, 2));  // throws NotStarted if the rung has no code
      return [interval, c] { static_cast<void>(interval->estimate(c->rounds.first_s, c->rounds.second_s)); };
    };
  });
}

}  // namespace rung::optimization_impact
