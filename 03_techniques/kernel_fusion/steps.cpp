// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "kernel_fusion.hpp"

namespace rung::kernel_fusion {
namespace {

using Floats = std::vector<float>;
using Numbers = std::vector<double>;

Floats random_row(std::uint64_t seed, std::size_t n, double deviation = 1) {
  Rng rng(seed);
  Floats row(n);
  for (float& x : row) x = static_cast<float>(deviation * rng.normal());
  return row;
}

/// Compares a row that the learner's function wrote into `got`.
Verdict judge_row(const std::string& name, const GuardedBuffer& got, const Numbers& expected,
                  const Numbers& tolerance) {
  const auto n = static_cast<std::int64_t>(expected.size());
  try {
    got.check_guards();
  } catch (const Error& error) {
    return Verdict().fail(mismatch(name, fmt::format("{} number", n), "outside the row",
                                   fmt::format("{} numbers written", n), error.what()));
  }
  return compare(name, {{"number", n}}, got.values(), expected, tolerance);
}

/// If `expected` is empty, the new row and the sum of its squares are computed here, in double.
Trial add_check(const std::string& name, Floats row, Floats out, float scale, Numbers expected = {},
                double squares = 0) {
  if (expected.empty()) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      expected.push_back(double{row[i]} + double{scale} * double{out[i]});
      squares += expected.back() * expected.back();
    }
  }
  Numbers tolerance;
  for (std::size_t i = 0; i < row.size(); ++i)
    tolerance.push_back(2e-7 * (std::fabs(double{row[i]}) + std::fabs(double{scale} * double{out[i]})));
  return step_check(name, [=](const std::string&) {
    const auto n = static_cast<std::int64_t>(row.size());
    GuardedBuffer got(1, n);
    std::copy(row.begin(), row.end(), got.tensor().ptr<float>());
    const double sum = my_add(out.data(), scale, n, got.tensor().ptr<float>());
    const Verdict added = judge_row(name, got, expected, tolerance);
    if (added.status == Verdict::Status::failed || std::fabs(sum - squares) <= 1e-6 * squares) return added;
    return Verdict().fail(mismatch(name, fmt::format("{} number", n), "the sum of squares",
                                   fmt::format("{:.9g}", squares), fmt::format("{:.9g}", sum)));
  });
}

std::vector<Trial> add_checks() {
  Floats massive(2049, 1);
  massive[0] = 4096;  // the square is 2^24
  return {
      add_check("3 + 4: the square is 49", {3}, {4}, 1, {7}, 49),
      add_check("(1, 2) + (3, 4): the squares are those of the sum", {1, 2}, {3, 4}, 1, {4, 6}, 52),
      add_check("scale 0.5: (1, 2) + (4, -8) / 2", {1, 2}, {4, -8}, 0.5F, {3, -2}, 13),
      add_check("scale 0: only the squares", {1, -2, 3}, {5, 5, 5}, 0, {1, -2, 3}, 14),
      add_check("squares below 1: 0.25 + 0.25", {0.25F, 0}, {0.25F, 0.5F}, 1, {0.5, 0.5}, 0.5),
      add_check("4,096 and then 2,048 times 1: a sum of float32 loses the ones", massive, Floats(2049, 0), 1),
      add_check("35 random numbers, scale 0.22", random_row(1, 35), random_row(2, 35), 0.22F),
      add_check("2,048 random numbers", random_row(3, 2048, 3), random_row(4, 2048), 1),
  };
}

/// If `expected` is empty, it is computed here, in double. `squares` is the sum of the squares of the row.
Trial norm_check(const std::string& name, Floats row, Floats weight, float eps, Numbers expected = {}) {
  double squares = 0;
  for (const float x : row) squares += double{x} * double{x};
  const double root = std::sqrt(squares / static_cast<double>(row.size()) + double{eps});
  Numbers tolerance;
  const bool given = !expected.empty();
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!given) expected.push_back(double{row[i]} / root * double{weight[i]});
    tolerance.push_back(1e-6 * std::fabs(expected[i]));
  }
  return step_check(name, [=](const std::string&) {
    const auto n = static_cast<std::int64_t>(row.size());
    GuardedBuffer got(1, n);
    my_norm(row.data(), squares, weight.data(), eps, n, got.tensor().ptr<float>());
    return judge_row(name, got, expected, tolerance);
  });
}

std::vector<Trial> norm_checks() {
  return {
      norm_check("one number: 5 becomes 1", {5}, {1}, 0, {1}),
      norm_check("(1, 7): the mean square is 25", {1, 7}, {1, 1}, 0, {0.2, 1.4}),
      norm_check("weights 2 and -1", {1, 7}, {2, -1}, 0, {0.4, -1.4}),
      norm_check("(1, 1, 1, 1, 4): the mean square is 4", {1, 1, 1, 1, 4}, {1, 1, 1, 1, 1}, 0,
                 {0.5, 0.5, 0.5, 0.5, 2}),
      norm_check("zeros with eps 0.01", {0, 0, 0}, {1, 1, 1}, 0.01F, {0, 0, 0}),
      norm_check("small numbers: eps is inside the root", {1e-3F, -2e-3F}, {1, 1}, 1e-5F),
      norm_check("the squares add up to more than the largest float32 number", {3e19F, -1e19F}, {1, 1}, 0),
      norm_check("2,048 random numbers", random_row(5, 2048, 3), random_row(6, 2048, 0.5), 1e-5F),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {"add",
             "Write `my_add()`: add a scaled row, and sum the squares of the new row in the same loop.",
             6,
             {"The norm that follows needs the squares. Are they the squares before the add or after it?",
              "Add first, then square the new row[i].",
              "double squares = 0; in the loop, squares += static_cast<double>(row[i]) * "
              "static_cast<double>(row[i]). The product of two float numbers is a float, so convert them "
              "before the product."},
             add_checks};
  list[1] = {"norm",
             "Write `my_norm()`: divide a row by its root mean square, and multiply by the weight.",
             3,
             {"The sum of squares is given. What is left to compute before the first number of the result?",
              "factor = 1 / std::sqrt(squares / n + eps), in double. eps is inside the root. Convert the "
              "factor to float after that.",
              "One loop: to[i] = row[i] * factor * weight[i]."},
             norm_checks};
  list[2] = {
      "all rows",
      "Write `mine()`: both steps for every row, shared among the threads.",
      6,
      {"Both functions work on a single row. Should all rows be added before the first one is "
       "normalized?",
       "In the body of parallel_for, call my_add() for row t, and then my_norm() for the same row with "
       "the sum that it returned.",
       "For one row of 2,048 numbers, a parallel region is not worth its synchronizations. For 512 rows "
       "it is. So pass x.rows > 8 ? threads : 1."},
      {},
      true};
  return list;
}

}  // namespace rung::kernel_fusion
