// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "metrics.hpp"

namespace rung::metrics {
namespace {

/// Passes if `got` is within the share `allowed` of `expected`.
Verdict near(const std::string& what, const std::string& shape, const std::string& index, double expected,
             double got, double allowed) {
  if (std::abs(got - expected) <= allowed * std::abs(expected)) return {};
  const std::string limit =
      allowed > 0 ? fmt::format(", allowed difference {:.2g}", allowed * std::abs(expected)) : "";
  return Verdict().fail(
      mismatch(what, shape, index, fmt::format("{:.9g}", expected), fmt::format("{:.9g}{}", got, limit)));
}

Trial percentile(std::string name, std::vector<CountedValue> values, double p, double expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    return near(what, fmt::format("{} values with counts", values.size()), fmt::format("p = {}", p), expected,
                my_percentile(values, p), 0);
  });
}

std::vector<Trial> percentile_checks() {
  const std::vector<CountedValue> four = {{1, 1}, {2, 1}, {3, 1}, {4, 1}};
  const std::vector<CountedValue> repeated = {{1, 3}, {9, 1}};
  return {
      percentile("1, 2, 3, 4: P50 is the second value", four, 0.5, 2),
      percentile("1, 2, 3, 4: P51 is the third value", four, 0.51, 3),
      percentile("1, 2, 3, 4: P0 is the smallest value", four, 0, 1),
      percentile("1, 2, 3, 4: P100 is the largest value", four, 1, 4),
      percentile("3 times 1, once 9: P75", repeated, 0.75, 1),
      percentile("3 times 1, once 9: P76", repeated, 0.76, 9),
      percentile("3 billion times 1, 1 billion times 2: P50", {{1, 3'000'000'000}, {2, 1'000'000'000}}, 0.5,
                 1),
      percentile("one value: P1", {{7, 1}}, 0.01, 7),
      percentile("no values", {}, 0.5, 0),
  };
}

std::string text_of(int bucket) {
  return bucket == kZeroBucket ? "kZeroBucket" : fmt::format("bucket {}", bucket);
}

Trial bucket(std::string name, double value, double relative_error, int expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    const int got = my_bucket(value, relative_error);
    if (got == expected) return Verdict();
    return Verdict().fail(mismatch(what, fmt::format("relative error {}", relative_error),
                                   fmt::format("my_bucket({:.6g})", value), text_of(expected), text_of(got)));
  });
}

Trial middle(std::string name, int bucket, double relative_error, double expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    return near(what, fmt::format("relative error {}", relative_error),
                fmt::format("my_middle({})", bucket == kZeroBucket ? "kZeroBucket" : std::to_string(bucket)),
                expected, my_middle(bucket, relative_error), 1e-8);
  });
}

/// Every value of 18 decades must be near the middle of its bucket, and the buckets must ascend.
Verdict near_their_middles(const std::string& what) {
  constexpr double kError = 0.01;
  int last = kZeroBucket;
  for (int i = -9000; i <= 9000; ++i) {
    const double value = std::pow(10, i / 1000.0);
    const int bucket = my_bucket(value, kError);
    const std::string shape = "18,001 values, relative error 0.01";
    if (bucket < last) {
      return Verdict().fail(mismatch(what, shape, fmt::format("my_bucket({:.6g})", value),
                                     fmt::format("at least {}", text_of(last)), text_of(bucket)));
    }
    last = bucket;
    const Verdict verdict = near(what, shape, fmt::format("my_middle(my_bucket({:.6g}))", value), value,
                                 my_middle(bucket, kError), kError);
    if (verdict.status != Verdict::Status::passed) return verdict;
  }
  return {};
}

std::vector<Trial> bucket_checks() {
  return {
      bucket("ln(1) is 0", 1, 0.01, 0),
      bucket("ln(3) / 0.01 is 109.86", 3, 0.01, 110),
      bucket("ln(0.5) / 0.01 is -69.31", 0.5, 0.01, -69),
      bucket("ln(1/3) / 0.01 is -109.86", 1.0 / 3, 0.01, -110),
      bucket("ln(3) / 0.1 is 10.986", 3, 0.1, 11),
      bucket("the value 0 has a bucket of its own", 0, 0.01, kZeroBucket),
      middle("the middle of bucket 110 is exp(1.1)", 110, 0.01, 3.00416602395),
      middle("the middle of bucket -69 is exp(-0.69)", -69, 0.01, 0.501576069),
      middle("the middle of bucket 11 with the relative error 0.1", 11, 0.1, 3.00416602395),
      middle("the middle of the bucket of 0", kZeroBucket, 0.01, 0),
      step_check("from 1e-9 to 1e9, no value is more than 1% from the middle of its bucket",
                 near_their_middles),
  };
}

/// A question to the learner's class: a share, and what it must return to within 1%.
struct Question {
  double p, expected;
};

Trial questions(std::string name, std::vector<double> values, std::vector<Question> asked) {
  return step_check(std::move(name), [=](const std::string& what) {
    const auto quantile = make_mine({});
    for (const double value : values) quantile->add(value);
    for (const Question& q : asked) {
      const Verdict verdict =
          near(what, fmt::format("{} values", values.size()), fmt::format("value({})", q.p), q.expected,
               quantile->value(q.p), QuantileConfig{}.relative_error);
      if (verdict.status != Verdict::Status::passed) return verdict;
    }
    return Verdict();
  });
}

Verdict value_after_question(const std::string& what) {
  const auto quantile = make_mine({});
  double largest = 0;
  for (const double value : {2.0, 8.0, 4.0, 16.0}) {
    quantile->add(value);
    largest = std::max(largest, value);
    const Verdict verdict = near(what, "4 values", fmt::format("value(1) after add({})", value), largest,
                                 quantile->value(1), QuantileConfig{}.relative_error);
    if (verdict.status != Verdict::Status::passed) return verdict;
  }
  return near(what, "4 values", "value(0.5) at the end", 4, quantile->value(0.5),
              QuantileConfig{}.relative_error);
}

Verdict counts_bytes(const std::string& what) {
  const auto quantile = make_mine({});
  for (const double value : {1.0, 2.0, 4.0}) quantile->add(value);
  static_cast<void>(quantile->value(0.5));
  const std::size_t least = 3 * sizeof(std::uint32_t);
  if (quantile->bytes() >= least) return {};
  return Verdict().fail(mismatch(what, "3 values", "bytes()", fmt::format("at least {}", least),
                                 std::to_string(quantile->bytes())));
}

std::vector<Trial> quantile_checks() {
  return {
      questions("no values", {}, {{0, 0}, {0.5, 0}, {1, 0}}),
      questions("the values come in any order: 4, 1, 3, 2", {4, 1, 3, 2},
                {{0, 1}, {0.5, 2}, {0.51, 3}, {1, 4}}),
      questions("zeros: 5, 0, 0", {5, 0, 0}, {{0.6, 0}, {1, 5}}),
      questions("very small and very large values", {1e9, 1e-9, 1}, {{0, 1e-9}, {0.5, 1}, {1, 1e9}}),
      step_check("a value can come after a question", value_after_question),
      step_check("three different values need memory", counts_bytes),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "nearest rank",
      "Write `my_percentile()`: the percentile of values that are in order and have counts.",
      8,
      {"Of the four values 1, 2, 3, 4, P50 is 2: ceil(0.5 * 4) is 2. At which value does a running sum "
       "of the counts reach 2?",
       "Add up all counts to get n, in a std::uint64_t. Then walk over the values with a second sum, "
       "which has the counts so far.",
       "Return the first value at which the second sum is at least std::ceil(p * n). For p = 0, this "
       "is already the first value."},
      percentile_checks};
  list[1] = {
      "buckets",
      "Write `my_bucket()` and `my_middle()`: equal logarithms, rounded, for nearly equal values.",
      3,
      {"Values that differ by 1% have logarithms that differ by about 0.01. What happens to them if you "
       "round all logarithms to multiples of 0.01?",
       "A conversion to int discards the fraction, so 109.86 becomes 109. std::lround rounds to the "
       "nearest integer.",
       "my_bucket: std::lround(std::log(value) / relative_error). my_middle is the inverse function: "
       "std::exp(bucket * relative_error)."},
      bucket_checks};
  list[2] = {
      "quantile",
      "Write the class `MyQuantile`: add values, and return percentiles of all values so far.",
      10,
      {"To be correct, the class can keep all values. What is enough to keep if a result may differ by "
       "1%?",
       "Count the values of each bucket in a std::map<int, std::uint64_t>. A map is sorted by its keys, "
       "so its middles are in ascending order.",
       "value(): copy the map to a std::vector<CountedValue> with my_middle() of each bucket, and call "
       "my_percentile()."},
      quantile_checks,
      true};
  return list;
}

}  // namespace rung::metrics
