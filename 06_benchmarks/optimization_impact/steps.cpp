// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <string>
#include <utility>

#include "core/error.hpp"
#include "noise.hpp"

namespace rung::optimization_impact {
namespace {

Trial check(std::string name, std::function<Verdict(const std::string& name)> body) {
  Trial trial;
  trial.name = name;
  trial.judge = judging(
      [name = std::move(name), body = std::move(body)](const std::string&, int) { return body(name); });
  return trial;
}

/// Passes if `got` is `expected`, up to rounding.
Verdict near(const std::string& what, const std::string& shape, const std::string& index, double expected,
             double got) {
  if (got == expected || std::abs(got - expected) <= 1e-9 * std::abs(expected)) return {};
  return Verdict().fail(
      mismatch(what, shape, index, fmt::format("{:.12g}", expected), fmt::format("{:.12g}", got)));
}

/// Returns the first verdict that is not "passed".
Verdict first_failure(std::initializer_list<Verdict> verdicts) {
  for (const Verdict& verdict : verdicts) {
    if (verdict.status != Verdict::Status::passed) return verdict;
  }
  return {};
}

Verdict near_estimate(const std::string& what, const std::string& shape, const RatioEstimate& expected,
                      const RatioEstimate& got) {
  return first_failure({near(what, shape, "ratio", expected.ratio, got.ratio),
                        near(what, shape, "low", expected.low, got.low),
                        near(what, shape, "high", expected.high, got.high)});
}

Trial ratio(std::string name, Rounds measured, std::vector<int> drawn, double expected) {
  return check(std::move(name), [=](const std::string& what) {
    return near(what, fmt::format("{} measured rounds", measured.first_s.size()),
                fmt::format("{} drawn rounds", drawn.size()), expected,
                my_ratio(measured.first_s, measured.second_s, drawn));
  });
}

std::vector<Trial> ratio_checks() {
  const Rounds two = {{1, 9}, {1, 3}}, three = {{6, 2, 4}, {1, 2, 8}};
  return {
      ratio("each round once: (1 + 9) / (1 + 3), not the mean of 1 and 3", two, {0, 1}, 2.5),
      ratio("the same round twice: 9 / 3", two, {1, 1}, 3),
      ratio("a round that occurs twice counts twice: (6 + 6 + 4) / (1 + 1 + 8)", three, {0, 0, 2}, 1.6),
      ratio("the order does not matter", three, {2, 0, 0}, 1.6),
      ratio("one round of three: 4 / 8", three, {2}, 0.5),
      ratio("five draws from two rounds: (1 + 9 + 9 + 1 + 9) / (1 + 3 + 3 + 1 + 3)", two, {0, 1, 1, 0, 1},
            29.0 / 11),
  };
}

/// Returns the ratios of all resamples, as the exercise describes them.
std::vector<double> resampled_ratios(const Rounds& measured, int resamples, Rng& rng) {
  const std::size_t n = measured.first_s.size();
  std::vector<double> ratios;
  for (int i = 0; i < resamples; ++i) {
    double first = 0, second = 0;
    for (std::size_t draw = 0; draw < n; ++draw) {
      const std::size_t round = rng.below(n);
      first += measured.first_s[round];
      second += measured.second_s[round];
    }
    ratios.push_back(first / second);
  }
  return ratios;
}

/// Calls my_resamples() `calls` times with the same random numbers, and checks the last result.
Trial resamples(std::string name, Rounds measured, int count, std::uint64_t seed, int calls = 1) {
  return check(std::move(name), [=](const std::string& what) {
    Rng reference(seed), rng(seed);
    std::vector<double> expected, got;
    for (int call = 0; call < calls; ++call) {
      expected = resampled_ratios(measured, count, reference);
      got = my_resamples(measured.first_s, measured.second_s, count, rng);
    }
    const std::string shape = fmt::format("{} resamples of {} rounds", count, measured.first_s.size());
    if (got.size() != expected.size()) {
      return Verdict().fail(mismatch(what, shape, "number of ratios", std::to_string(expected.size()),
                                     std::to_string(got.size())));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const Verdict verdict = near(what, shape, fmt::format("resample {}", i), expected[i], got[i]);
      if (verdict.status != Verdict::Status::passed) return verdict;
    }
    return Verdict();
  });
}

std::vector<Trial> resample_checks() {
  const Rounds drifting = {{2, 6, 16, 4}, {1, 3, 8, 2}};
  return {
      resamples("one round: every resample is this round", {{3}, {2}}, 4, 1),
      resamples("the times of a round stay together: the machine drifts, every ratio is 2", drifting, 20, 2),
      resamples("one resample", {{6, 2, 4}, {1, 2, 8}}, 1, 3),
      resamples("known random numbers", {{6, 2, 4}, {1, 2, 8}}, 50, 4),
      resamples("30 rounds, 200 resamples", simulated_rounds(Noise::skewed, 30, 10), 200, 5),
      resamples("a second call continues with the next random numbers", {{6, 2, 4}, {1, 2, 8}}, 10, 6, 2),
  };
}

/// The values 1, 2, … `count`, not in order.
std::vector<double> shuffled(int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(i + 1);
  Rng rng(11);
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[rng.below(i)]);
  return values;
}

Trial interval(std::string name, std::vector<double> resampled, double confidence, RatioEstimate expected) {
  return check(std::move(name), [=](const std::string& what) {
    const std::string shape = fmt::format("{} resampled ratios, confidence {}", resampled.size(), confidence);
    return near_estimate(what, shape, expected, my_interval(expected.ratio, resampled, confidence));
  });
}

std::vector<Trial> interval_checks() {
  return {
      interval("1 … 100 in any order: 5 are discarded at each end", shuffled(100), 0.9, {50, 6, 95}),
      interval("half of them are discarded, 25 at each end", shuffled(100), 0.5, {50, 26, 75}),
      interval("150 ratios: 3.75 is rounded to 4", shuffled(150), 0.95, {70, 5, 146}),
      interval("130 ratios: 3.25 is rounded to 3", shuffled(130), 0.95, {60, 4, 127}),
      interval("2,000 ratios: 100 at each end", shuffled(2000), 0.9, {1000, 101, 1900}),
      interval("the ratio need not be in the middle", shuffled(100), 0.9, {20, 6, 95}),
      interval("a ratio below the range extends the interval", shuffled(100), 0.9, {2, 2, 95}),
      interval("a ratio above the range extends the interval", shuffled(100), 0.9, {99.5, 6, 99.5}),
      interval("too few ratios to discard any", {1.5, 0.5, 2}, 0.95, {1, 0.5, 2}),
  };
}

Trial stretched(std::string name, RatioEstimate given, double factor, RatioEstimate expected) {
  return check(std::move(name), [=](const std::string& what) {
    return near_estimate(what, fmt::format("from {} to {}, factor {}", given.low, given.high, factor),
                         expected, my_stretched(given, factor));
  });
}

RatioEstimate mine_of(const Rounds& rounds, const RatioIntervalConfig& config) {
  return make_mine(config)->estimate(rounds.first_s, rounds.second_s);
}

/// An interval of 50 % is about a third as wide as one of 95 %, because 0.67 is about a third of 1.96.
Verdict wider_with_confidence(const std::string& what) {
  const Rounds rounds = simulated_rounds(Noise::quiet, 30, 12);
  const auto width = [&rounds](double confidence) {
    RatioIntervalConfig config;
    config.confidence = confidence;
    const RatioEstimate e = mine_of(rounds, config);
    return std::log(e.high / e.low);
  };
  const double share = width(0.5) / width(0.95);
  if (share > 0.25 && share < 0.45) return {};
  return Verdict().fail(mismatch(what, "30 rounds", "width for 0.5 / width for 0.95",
                                 std::string("from 0.25 to 0.45"), fmt::format("{:.4g}", share)));
}

Verdict depends_on_seed(const std::string& what) {
  const Rounds rounds = simulated_rounds(Noise::skewed, 12, 13);
  RatioIntervalConfig one, two;
  two.seed = 2;
  const RatioEstimate first = mine_of(rounds, one), second = mine_of(rounds, two);
  if (first.low != second.low || first.high != second.high) return {};
  return Verdict().fail(mismatch(what, "12 rounds", "low and high for the seeds 1 and 2", "two intervals",
                                 fmt::format("{} and {} twice", first.low, first.high)));
}

/// Exchanging the two sides must give the reciprocal interval.
Verdict reciprocal(const std::string& what) {
  const Rounds rounds = simulated_rounds(Noise::skewed, 7, 14);
  const RatioEstimate there = mine_of(rounds, {}), back = mine_of({rounds.second_s, rounds.first_s}, {});
  return near_estimate(what, "7 rounds", {1 / there.ratio, 1 / there.high, 1 / there.low}, back);
}

std::vector<Trial> estimate_checks() {
  return {
      stretched("the factor 2 squares the distances", {1, 0.5, 2}, 2, {1, 0.25, 4}),
      stretched("the distances are relative to the ratio", {2, 1, 8}, 2, {2, 0.5, 32}),
      stretched("the factor 1 changes nothing", {1.2, 1.1, 1.5}, 1, {1.2, 1.1, 1.5}),
      stretched("an end at the ratio stays there", {1.5, 1.5, 1.8}, 1.5, {1.5, 1.5, 1.9718012070}),
      check("a higher confidence gives a wider interval", wider_with_confidence),
      check("the seed chooses the resamples", depends_on_seed),
      check("exchanging the two sides gives the reciprocal interval", reciprocal),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(4);
  list[0] = {"ratio",
             "Write `my_ratio()`: the ratio of the sums over some of the rounds.",
             6,
             {"Two sums are enough. Which rounds do they include, and how often does a round count that "
              "occurs twice?",
              "Loop over the values in `rounds`, not over all measured rounds. Each value is an index of "
              "first_s and "
              "of second_s.",
              "for (const int round : rounds): add first_s[round] to one sum and second_s[round] to the "
              "other. Return "
              "the quotient of the sums, not a mean of quotients."},
             ratio_checks};
  list[1] = {"resamples",
             "Write `my_resamples()`: draw rounds with replacement, again and again.",
             8,
             {"A resample answers the question: what if the comparison had met these rounds in other "
              "numbers? It has "
              "as many rounds as the comparison, so how many random numbers does it need?",
              "Make a std::vector<int> with first_s.size() elements. For each resample, set each element to "
              "rng.below(n), and append my_ratio() of them to the result.",
              "The loop over the resamples is the outer one. Convert the random number with "
              "static_cast<int>, and do "
              "not make a generator of your own: the caller gives one."},
             resample_checks};
  list[2] = {
      "percentile interval",
      "Write `my_interval()`: sort the resampled ratios and discard both ends.",
      6,
      {"If 2,000 ratios are sorted, which two of them enclose the middle 95%?",
       "The number to discard at each end is std::lround(size * (1 - confidence) / 2). A conversion to an "
       "integer would turn 99.9999 into 99.",
       "After std::sort, low is resampled[discarded] and high is resampled[size - 1 - discarded]. Then use "
       "std::min and std::max with the ratio."},
      interval_checks};
  list[3] = {
      "estimate",
      "Write `my_stretched()` and the class `MyRatioInterval`: the correction for few rounds, and the whole "
      "estimate.",
      12,
      {"An interval from 0.5 to 2 around the ratio 1 is symmetric as a factor: half and double. What are its "
       "ends if it becomes twice as wide in this sense?",
       "my_stretched: the new low is ratio * std::pow(low / ratio, factor); the same formula gives the new "
       "high.",
       "estimate(): return of_one_round() for one round. Otherwise make Rng rng(config.seed), fill a "
       "std::vector<int> with 0, 1, … n - 1 (std::iota) and get the ratio of all rounds with my_ratio(). "
       "Then "
       "call my_resamples(), my_interval() and my_stretched() with few_rounds_factor(n, confidence)."},
      estimate_checks,
      true};
  return list;
}

}  // namespace rung::optimization_impact
