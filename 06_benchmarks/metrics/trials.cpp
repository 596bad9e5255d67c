// The trials of `quantile`: every rung is compared with the sorted values. A rung may be off by what it
// promises: exact rungs and the learner's by a share of the value, and `t_digest` by a share of the rank.

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <fmt/core.h>

#include "core/percentile.hpp"
#include "core/rng.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

constexpr double kShares[] = {0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};

struct Input {
  const char* name;
  std::vector<double> values;
};

std::vector<Input> inputs() {
  std::vector<Input> all(7);
  Rng rng(20260614);
  all[0] = {"no values", {}};
  all[1] = {"one value", {0.25}};
  all[2] = {"four values", {4, 1, 3, 2}};
  all[3] = {"ties and zeros", {}};
  for (int i = 0; i < 1000; ++i) all[3].values.push_back(static_cast<double>(i % 5));
  all[4] = {"log-normal latencies", {}};
  for (int i = 0; i < 50000; ++i) all[4].values.push_back(0.05 * std::exp(1.2 * rng.normal()));
  all[5] = {"two modes, in rising order", {}};
  for (int i = 0; i < 20000; ++i)
    all[5].values.push_back((i < 12000 ? 0.01 : 2.0) * (1 + 0.3 * rng.uniform()));
  std::sort(all[5].values.begin(), all[5].values.end());
  all[6] = {"ten from a distance, the rest near", {}};
  for (int i = 0; i < 10000; ++i) all[6].values.push_back(i % 1000 == 7 ? 1e5 : rng.uniform());
  return all;
}

/// What a rung may answer for share p of `sorted`: from the lower to the upper of two values.
struct Allowed {
  double low, high;
};

Allowed allowed(const std::string& rung, const std::vector<double>& sorted, double p) {
  const QuantileConfig config;
  const double exact = sorted[nearest_rank(sorted.size(), p)];
  const double slack = config.relative_error * exact + 1e-9;
  if (rung == "sorted" || rung == "select") return {exact, exact};
  if (rung != "t_digest") return {exact - slack, exact + slack};
  // A centroid at share q holds at most 2 pi sqrt(q (1 - q)) / compression of all values; interpolation may
  // use the one beside it.
  const double share = 2 * 6.2832 * std::sqrt(p * (1 - p)) / config.compression + 1e-12;
  return {sorted[nearest_rank(sorted.size(), std::max(0.0, p - share))],
          sorted[nearest_rank(sorted.size(), std::min(1.0, p + share))]};
}

Verdict judge(const Ladder<Quantile>& ladder, const std::string& rung, const Input& input) {
  Verdict verdict;
  const auto quantile = ladder.make(rung, {});
  for (const double value : input.values) quantile->add(value);
  std::vector<double> sorted = input.values;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < std::size(kShares); ++i) {
    const double p = kShares[i], got = quantile->value(p);
    const Allowed range = sorted.empty() ? Allowed{0, 0} : allowed(rung, sorted, p);
    const double exact = sorted.empty() ? 0 : sorted[nearest_rank(sorted.size(), p)];
    const double error = exact > 0 ? std::abs(got - exact) / exact : std::abs(got);
    if (!(got >= range.low && got <= range.high)) {
      return verdict.fail(
          mismatch(input.name, fmt::format("{} values", sorted.size()), fmt::format("share {}", p),
                   fmt::format("{} (from {} to {})", exact, range.low, range.high), fmt::format("{}", got)));
    }
    verdict.error = std::max(verdict.error, error);
  }
  verdict.tolerance = QuantileConfig{}.relative_error;
  return verdict;
}

}  // namespace

std::vector<Trial> trials(const Ladder<Quantile>& ladder) {
  const auto judge_one = [&ladder](const std::string& rung, int /*threads*/, const Input& input) {
    return judge(ladder, rung, input);
  };
  return trials_of(inputs(), judge_one, [&ladder](Trial& trial, std::shared_ptr<const Input> input) {
    if (input->values.size() != 50000) return;
    trial.name = "50,000 latencies, then P50, P90 and P99";
    trial.timed = true;
    trial.work = {sizeof(double) * 50000.0, 0};
    trial.prepare = [&ladder, input](const std::string& rung, int) -> std::function<void()> {
      ladder.make(rung, {})->add(0);  // throws NotStarted if the learner's rung has no code
      return [&ladder, input, rung] {
        const auto quantile = ladder.make(rung, {});
        for (const double value : input->values) quantile->add(value);
        for (const double p : {0.5, 0.9, 0.99}) static_cast<void>(quantile->value(p));
      };
    };
  });
}

}  // namespace rung::metrics
