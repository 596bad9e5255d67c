// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <cmath>
#include <string>
#include <utility>

#include "long_sequence.hpp"

namespace rung::long_sequence {
namespace {

Trial angle_check(std::string name, double base, int rotary_dim, std::vector<double> expected) {
  return step_check(std::move(name), [=](const std::string& name) -> Verdict {
    const std::vector<double> got = my_radians(base, rotary_dim);
    const std::string shape = fmt::format("{} numbers, base {}", rotary_dim, base);
    if (got.size() != expected.size()) {
      return Verdict().fail(rung::mismatch(name, shape, "all",
                                           fmt::format("{} angles, one per pair", expected.size()),
                                           fmt::format("{} angles", got.size())));
    }
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (std::fabs(got[i] - expected[i]) <= 1e-12 * expected[i]) continue;
      return Verdict().fail(rung::mismatch(name, shape, fmt::format("pair {}", i),
                                           fmt::format("{:.15g}", expected[i]),
                                           fmt::format("{:.15g}", got[i])));
    }
    return {};
  });
}

std::vector<Trial> angle_checks() {
  std::vector<double> many;
  for (int i = 0; i < 64; ++i) many.push_back(std::exp(-i / 64.0 * std::log(500'000.0)));
  return {
      angle_check("8 numbers, base 10,000: each pair is ten times as slow as the one before", 10'000, 8,
                  {1, 0.1, 0.01, 0.001}),
      angle_check("6 numbers, base 1,000", 1000, 6, {1, 0.1, 0.01}),
      angle_check("4 numbers, base 16: the square root of 16", 16, 4, {1, 0.25}),
      angle_check("2 numbers: one pair", 100, 2, {1}),
      angle_check("Llama 3: 128 numbers, base 500,000", 500'000, 128, std::move(many)),
  };
}

Trial known_check(std::string name, std::vector<double> radians, int tokens, int expected) {
  return step_check(std::move(name), [=](const std::string& name) -> Verdict {
    const int got = my_known_pairs(radians, tokens);
    if (got == expected) return {};
    return Verdict().fail(rung::mismatch(name, fmt::format("{} pairs, {} tokens", radians.size(), tokens),
                                         "pairs that turn once", std::to_string(expected),
                                         std::to_string(got)));
  });
}

std::vector<Trial> known_checks() {
  const std::vector<double> four = {1, 0.1, 0.01, 0.001};
  std::vector<double> tiny;  // the pairs of the lesson's table
  for (int i = 0; i < 16; ++i) tiny.push_back(pair_radians(10'000, i, 32));
  return {
      known_check("1, 0.1, 0.01 and 0.001 radians; 1,000 tokens: the last pair turns by one radian", four,
                  1000, 3),
      known_check("7 tokens: the first pair turns by 7 radians, which is more than 2 pi", four, 7, 1),
      known_check("6 tokens: no pair turns once", four, 6, 0),
      known_check("62 tokens: the second pair turns by 6.2 radians, which is less than 2 pi", four, 62, 1),
      known_check("63 tokens: the second pair turns by 6.3 radians", four, 63, 2),
      known_check("10,000 tokens: every pair turns", four, 10'000, 4),
      known_check("no pairs", {}, 1000, 0),
      known_check("tiny in 1,024 tokens: pair 8 turns 1.6 times, and pair 9 0.9 times", tiny, 1024, 9),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {"angles",
             "Write `my_radians()`: the angle per position of every pair.",
             3,
             {"Two numbers of a head form a pair. How many angles does a head of rotary_dim numbers need?",
              "std::pow(base, exponent) with the exponent -2i / rotary_dim. What is -2 * 1 / 8 in C++ if all "
              "three are "
              "int?",
              "for i = 0 .. rotary_dim / 2 - 1: radians.push_back(std::pow(base, -2.0 * i / rotary_dim))."},
             angle_checks};
  list[1] = {
      "known pairs",
      "Write `my_known_pairs()`: how many pairs turn at least once in training.",
      3,
      {"By how many radians does pair i turn within all tokens together?",
       "Pair i turns once if radians[i] * tokens is at least 2 pi. std::numbers::pi is pi.",
       "Begin with a count of 0, and add 1 for every such pair. Because the angles fall, these are the first "
       "pairs."},
      known_checks};
  list[2] = {"the stretch",
             "Write `mine()`: angles for a longer context, which keep four properties.",
             9,
             {"The model has met every angle of the known pairs. Which pairs must not turn further than in "
              "training?",
              "Divide the angle of pair i by a number from 1, for the first pair, to config.factor(), for "
              "the last one. "
              "std::pow(config.factor(), share) is such a number if the share grows from 0 to 1.",
              "share = i / n in double, and at most 1. For n, take the number of known pairs, but at most "
              "pairs - 1, so "
              "that the last pair has a share of 1. If n is 0, the share is 1."},
             {},
             true};
  return list;
}

}  // namespace rung::long_sequence
