// Every rung on the trials, the quantiles, how often the intervals contain the true ratio, and the exact
// numbers of the lesson's examples. All numbers have seeds, so the limits are not a matter of luck.

#include <cmath>

#include "examples.hpp"
#include "noise.hpp"
#include "testing/topic_test.hpp"

using namespace rung;
using namespace rung::optimization_impact;

namespace {

const Ladder<RatioInterval>& ladder() { return testing::ladder_of<RatioInterval, register_rungs>(); }

constexpr Noise kSymmetric[] = {Noise::quiet, Noise::drift, Noise::bursts, Noise::skewed};

/// The share of comparisons whose interval of this confidence contains the true ratio.
double coverage_at(double confidence, int rounds, int comparisons) {
  RatioIntervalConfig config;
  config.confidence = confidence;
  const auto interval = ladder().make("auto", config);
  int covered = 0;
  for (int i = 0; i < comparisons; ++i) {
    const RatioEstimate e =
        simulated_rounds(Noise::quiet, rounds, static_cast<std::uint64_t>(i)).estimate(*interval, rounds);
    covered += e.low <= kTrueRatio && kTrueRatio <= e.high;
  }
  return static_cast<double>(covered) / comparisons;
}

}  // namespace

TEST_CASE("every rung passes the trials, and auto is trimmed") {
  testing::judge_all(testing::registry_of<register_rungs>(), "ratio_interval");
  CHECK(ladder().choose("auto", {}).info.name == "trimmed");
}

TEST_CASE("quantiles of the normal and of Student's t distribution") {
  CHECK(normal_quantile(0.95) == Approx(1.959963984540).epsilon(1e-11));
  CHECK(normal_quantile(0.5) == Approx(0.674489750196).epsilon(1e-11));
  CHECK(normal_quantile(0.999) == Approx(3.290526731492).epsilon(1e-10));
  CHECK(student_quantile(0.95, 1) == Approx(std::tan(0.95 * std::acos(-1.0) / 2)).epsilon(1e-11));
  CHECK(student_quantile(0.95, 4) == Approx(2.776445105198).epsilon(1e-11));
  CHECK(student_quantile(0.99, 9) == Approx(3.249835541592).epsilon(1e-10));
  CHECK(student_quantile(0.95, 29) == Approx(2.045229642133).epsilon(1e-10));
  CHECK(student_quantile(0.95, 100'000) == Approx(normal_quantile(0.95)).epsilon(1e-4));
  CHECK(few_rounds_factor(5, 0.95) == Approx(1.5838).epsilon(1e-4));
  CHECK(few_rounds_factor(30, 0.95) == Approx(1.0613).epsilon(1e-4));
}

TEST_CASE("exchanging the two sides gives the reciprocal interval") {
  for (const char* rung : {"paired", "stretched", "median", "trimmed"}) {
    for (const int rounds : {2, 5, 8, 30}) {
      const Rounds there = simulated_rounds(Noise::skewed, rounds, 100);
      const auto interval = ladder().make(rung, {});
      const RatioEstimate e = interval->estimate(there.first_s, there.second_s);
      const RatioEstimate back = interval->estimate(there.second_s, there.first_s);
      INFO(rung << ", " << rounds << " rounds");
      CHECK(back.ratio == Approx(1 / e.ratio).epsilon(1e-12));
      CHECK(back.low == Approx(1 / e.high).epsilon(1e-12));
      CHECK(back.high == Approx(1 / e.low).epsilon(1e-12));
    }
  }
}

TEST_CASE("one disturbed round does not move median and trimmed") {
  Rounds rounds = simulated_rounds(Noise::quiet, 10, 101);
  rounds.first_s[3] *= 50;
  for (const char* rung : {"median", "trimmed"}) {
    const RatioEstimate e = rounds.estimate(*ladder().make(rung, {}), 10);
    INFO(rung << " " << e.ratio << " " << e.low << " " << e.high);
    CHECK(e.ratio == Approx(kTrueRatio).epsilon(0.02));
    CHECK(e.high < 1.04 * e.low);
  }
  for (const char* rung : {"means", "unpaired", "paired", "stretched"}) {
    INFO(rung);
    CHECK(rounds.estimate(*ladder().make(rung, {}), 10).ratio > 5 * kTrueRatio);
  }
}

TEST_CASE("a confidence or a number of resamples out of range is refused") {
  for (const double confidence : {0.4, 1.0, std::nan("")}) {
    RatioIntervalConfig config;
    config.confidence = confidence;
    CHECK_THROWS_AS(ladder().make("auto", config), UsageError);
  }
  for (const int resamples : {99, 100'001}) {
    RatioIntervalConfig config;
    config.resamples = resamples;
    CHECK_THROWS_AS(ladder().make("paired", config), UsageError);
  }
}

TEST_CASE("auto contains the true ratio in 95 % of the comparisons, with few rounds and with noise") {
  for (const Noise noise : kSymmetric) {
    for (const int rounds : {2, 3, 4, 5, 6, 8, 10, 15, 30}) {
      const Coverage c = coverage(ladder(), "auto", noise, rounds, 4000);
      INFO(name_of(noise) << ", " << rounds << " rounds: " << c.share());
      CHECK(c.share() >= 0.943);  // 0.95 less two standard deviations of this count
    }
  }
}

TEST_CASE("other confidences") {
  for (const int rounds : {5, 6, 10, 30}) {
    INFO(rounds << " rounds");
    CHECK(coverage_at(0.8, rounds, 4000) >= 0.787);
    CHECK(coverage_at(0.9, rounds, 4000) >= 0.89);
    CHECK(coverage_at(0.99, rounds, 4000) >= 0.986);
  }
}

TEST_CASE("the weakness of each rung below") {
  const auto of = [](const char* rung, Noise noise, int rounds) {
    return coverage(ladder(), rung, noise, rounds, 400, 400);
  };
  // Drift is noise for those that ignore the rounds, so their intervals are far too wide.
  CHECK(of("means", Noise::drift, 15).median_width > 10 * of("paired", Noise::drift, 15).median_width);
  CHECK(of("unpaired", Noise::drift, 15).median_width > 10 * of("paired", Noise::drift, 15).median_width);
  // Percentile intervals are too narrow with few rounds, and stretching corrects this.
  CHECK(of("paired", Noise::quiet, 5).share() < 0.88);
  CHECK(of("stretched", Noise::quiet, 5).share() > 0.92);
  // Bursts make an interval around sums wide, and do not affect one around the median.
  CHECK(of("stretched", Noise::bursts, 10).median_width > 5 * of("median", Noise::bursts, 10).median_width);
  CHECK(of("median", Noise::bursts, 5).median_width > 5 * of("auto", Noise::bursts, 5).median_width);
}

TEST_CASE("the median of five rounds cannot reach 95 %") {
  // All five rounds are on one side of the true ratio in 2 of 2^5 comparisons.
  const Coverage c = coverage(ladder(), "median", Noise::quiet, 5, 4000, 400);
  CHECK(c.share() == Approx(1 - 2.0 / 32).margin(0.012));
}

TEST_CASE("the stopping rule keeps 95 %, and looking after each round does not") {
  const StoppingRule naive{5, 1, 30, 1}, rule;
  CHECK(rule.confidence_of_rung(0.95) == Approx(0.975));
  double worst = 1, worst_naive = 1;
  for (const double half_width : {0.006, 0.008, 0.01}) {
    worst =
        std::min(worst, coverage_of_stopping(ladder(), "auto", Noise::quiet, rule, half_width, 2000).share());
    worst_naive = std::min(
        worst_naive, coverage_of_stopping(ladder(), "auto", Noise::quiet, naive, half_width, 2000).share());
  }
  CHECK(worst >= 0.95);
  CHECK(worst_naive < 0.92);
}

TEST_CASE("when the stopping rule looks and stops") {
  const StoppingRule rule;
  const RatioEstimate narrow = {1, 0.995, 1.005}, wide = {1, 0.9, 1.1};
  CHECK_FALSE(rule.stops(5, narrow, 0.01));
  CHECK(rule.stops(10, narrow, 0.01));
  CHECK_FALSE(rule.stops(11, narrow, 0.01));
  CHECK(rule.stops(15, narrow, 0.01));
  CHECK_FALSE(rule.stops(15, wide, 0.01));
  CHECK(rule.stops(30, wide, 0.01));
  CHECK(rule.stops(10, {1, 1, 1}, 0));
}

TEST_CASE("coverage of auto, counted long", "[.long]") {
  for (const Noise noise : kSymmetric) {
    for (const int rounds : {5, 6, 7, 8, 9, 10, 12, 15, 20, 30}) {
      const Coverage c = coverage(ladder(), "auto", noise, rounds, 40'000);
      INFO(name_of(noise) << ", " << rounds << " rounds: " << c.share());
      CHECK(c.share() >= 0.948);  // two standard deviations of this count
    }
  }
}

TEST_CASE("of 20 comparisons of a variant with itself, 18 intervals contain the ratio", "[.long]") {
  // The ratio of the simulated rounds is 1.25; each rung is indifferent to a factor on one side.
  const StoppingRule rule;
  RatioIntervalConfig config;
  config.confidence = rule.confidence_of_rung(config.confidence);
  const auto interval = ladder().make("auto", config);
  for (const Noise noise : kSymmetric) {
    int kept = 0;
    constexpr int kSets = 500;
    for (int set = 0; set < kSets; ++set) {
      int covered = 0;
      for (int i = 0; i < 20; ++i) {
        const Rounds all = simulated_rounds(noise, 30, static_cast<std::uint64_t>(20 * set + i));
        int rounds = rule.least_rounds;
        while (!rule.stops(rounds, all.estimate(*interval, rounds), 0.01)) rounds += rule.every;
        const RatioEstimate e = all.estimate(*interval, rounds);
        covered += e.low <= kTrueRatio && kTrueRatio <= e.high;
      }
      kept += covered >= 18;
    }
    INFO(name_of(noise) << ": " << kept << " of " << kSets);
    CHECK(kept >= 0.96 * kSets);
  }
}

TEST_CASE("the exact numbers of the lesson") {
  CHECK(tokens_per_s(kServedByA) == Approx(23.53).margin(0.005));
  CHECK(tokens_per_s(kServedByB) == Approx(45.0));
  CHECK(tokens_per_s(kSameForA) == Approx(32.0));
  CHECK(tokens_per_s(kSameForB) == Approx(28.8));
  for (int i = 0; i < 2; ++i) CHECK(kServedByA[i].tokens_per_s > kServedByB[i].tokens_per_s);
  CHECK(mean_of_ratios(kSecondsOfA, kSecondsOfB) == Approx(1.25));
  CHECK(mean_of_ratios(kSecondsOfB, kSecondsOfA) == Approx(1.25));
  CHECK(geometric_mean_of_ratios(kSecondsOfA, kSecondsOfB) == Approx(1));
  CHECK(ratio_of_sums(kSecondsOfB, kSecondsOfA) == Approx(1.5));
  CHECK(1 / ratio_on_slowing_machine(kOrders[0]) == Approx(1.0406).margin(5e-5));
  CHECK(1 / ratio_on_slowing_machine(kOrders[1]) == Approx(1.01));
  CHECK(1 / ratio_on_slowing_machine(kOrders[2]) == Approx(0.9999).margin(5e-5));
}
