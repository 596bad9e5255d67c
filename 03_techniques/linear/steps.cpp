// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "core/guarded_buffer.hpp"
#include "core/printable.hpp"
#include "core/rng.hpp"
#include "linear.hpp"

namespace rung::linear {
namespace {

using Floats = std::vector<float>;

Floats random_floats(std::uint64_t seed, std::int64_t n) {
  Rng rng(seed);
  Floats values(static_cast<std::size_t>(n));
  for (float& v : values) v = static_cast<float>(rng.normal());
  return values;
}

/// The dot product in float64, and how far a float32 sum may be from it, in any order of its additions.
struct Exact {
  Exact(const float* a, const float* b, std::int64_t n) {
    double magnitude = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
      value += product;
      magnitude += std::fabs(product);
    }
    tolerance = 0x1p-24 * static_cast<double>(n + 2) * magnitude;
  }
  double value = 0, tolerance = 0;
};

// --- Step 1 ------------------------------------------------------------------------------------------------

Trial dot_check(const std::string& name, Floats a, Floats b, double expected) {
  return step_check(name, [=](const std::string&) {
    const auto n = static_cast<std::int64_t>(a.size());
    const double tolerance = Exact(a.data(), b.data(), n).tolerance;
    // What follows the arrays is not a number: code that reads it has it in the result.
    Floats long_a = a, long_b = b;
    long_a.resize(a.size() + 16, std::numeric_limits<float>::quiet_NaN());
    long_b.resize(b.size() + 16, std::numeric_limits<float>::quiet_NaN());
    const Floats got = {my_dot(long_a.data(), long_b.data(), n)};
    return compare(fmt::format("{}, {}", name, counted(n, "column")), {{"product", 1}}, got,
                   std::vector<double>{expected}, std::vector<double>{tolerance});
  });
}

Trial random_dot_check(const std::string& name, std::int64_t n) {
  const Floats a = random_floats(1, n), b = random_floats(2, n);
  return dot_check(name, a, b, Exact(a.data(), b.data(), n).value);
}

std::vector<Trial> dot_checks() {
  Floats last(15, 0), ones(15, 1);
  last.back() = 7;
  return {
      dot_check("3 times 4", {3}, {4}, 12),
      dot_check("(1, 2, 3) and (4, -5, 6)", {1, 2, 3}, {4, -5, 6}, 12),
      dot_check("numbers below 1: (0.5, 0.25) and (0.5, 0.5)", {0.5F, 0.25F}, {0.5F, 0.5F}, 0.375),
      dot_check("no numbers", {}, {}, 0),
      dot_check("eight ones and the numbers 1 to 8", Floats(8, 1), {1, 2, 3, 4, 5, 6, 7, 8}, 36),
      dot_check("nine ones and the numbers 1 to 9", Floats(9, 1), {1, 2, 3, 4, 5, 6, 7, 8, 9}, 45),
      dot_check("only the last number is not 0", last, ones, 7),
      random_dot_check("random numbers", 172),
      random_dot_check("random numbers", 2048),
  };
}

// --- Step 2 ------------------------------------------------------------------------------------------------

/// A matrix x whose gaps between rows are not numbers.
class Rows {
 public:
  Rows(const Floats& values, std::int64_t tokens, std::int64_t cols, std::int64_t gap)
      : storage_(static_cast<std::size_t>(tokens * (cols + gap)), std::numeric_limits<float>::quiet_NaN()),
        x_(storage_.data(), DType::f32, tokens, cols, cols + gap) {
    for (std::int64_t t = 0; t < tokens; ++t) std::copy_n(values.data() + t * cols, cols, x_.ptr<float>(t));
  }
  Rows(const Rows&) = delete;  // x_ points into storage_
  Rows& operator=(const Rows&) = delete;

  const Tensor& x() const { return x_; }

 private:
  Floats storage_;
  Tensor x_;
};

struct RowCase {
  std::string name;
  Floats row, values;  // values [tokens, in]
  std::int64_t tokens = 1;
  std::int64_t o = 0, out = 1;  // column of y, and how many columns y has
  std::int64_t gap = 0;         // between rows of x and of y
  Floats expected = {};         // [tokens]; empty: computed in float64
};

constexpr float kUntouched = -77;  // what the other columns of y hold before the call

Verdict judge_row(const RowCase& c) {
  const auto in = static_cast<std::int64_t>(c.row.size());
  const Rows rows(c.values, c.tokens, in, c.gap);
  GuardedBuffer y(c.tokens, c.out, c.out + c.gap);
  std::vector<double> expected, tolerance;
  for (std::int64_t t = 0; t < c.tokens; ++t) {
    for (std::int64_t o = 0; o < c.out; ++o) {
      const Exact exact(c.row.data(), rows.x().ptr<float>(t), in);
      const bool known = !c.expected.empty();
      expected.push_back(o != c.o ? double{kUntouched}
                                  : (known ? double{c.expected[static_cast<std::size_t>(t)]} : exact.value));
      tolerance.push_back(o == c.o ? exact.tolerance : 0);
      if (o != c.o) y.tensor().ptr<float>(t)[o] = kUntouched;
    }
  }
  my_row(c.row.data(), rows.x(), c.o, y.tensor());
  try {
    y.check_guards();
  } catch (const Error& error) {
    return Verdict().fail(mismatch(c.name, fmt::format("{}, {} out", counted(c.tokens, "token"), c.out),
                                   "outside y", fmt::format("column {} of each token written", c.o),
                                   error.what()));
  }
  return compare(c.name, {{"token", c.tokens}, {"out", c.out}}, y.values(), expected, tolerance);
}

/// The bits of each token alone, and in a batch of every size up to 12.
Verdict judge_bits(const std::string& name) {
  constexpr std::int64_t kIn = 173, kMost = 12;
  const Floats row = random_floats(5, kIn), values = random_floats(6, kMost * kIn);
  const Rows rows(values, kMost, kIn, 0);
  Floats alone(kMost, std::nanf(""));
  for (std::int64_t t = 0; t < kMost; ++t) {
    const Tensor y(&alone[static_cast<std::size_t>(t)], DType::f32, 1, 1);
    my_row(row.data(), rows.x().row_slice(t, 1), 0, y);
  }
  for (std::int64_t tokens = 2; tokens <= kMost; ++tokens) {
    GuardedBuffer y(tokens, 1);
    my_row(row.data(), rows.x().row_slice(0, tokens), 0, y.tensor());
    const Floats got = y.values();
    for (std::size_t t = 0; t < got.size(); ++t) {
      if (std::memcmp(&got[t], &alone[t], sizeof(float)) == 0) continue;
      return Verdict().fail(mismatch(name, fmt::format("{}, {} in", counted(tokens, "token"), kIn),
                                     fmt::format("token {} of {}", t, tokens),
                                     fmt::format("{:.9g}, as the token alone", alone[t]),
                                     fmt::format("{:.9g}", got[t])));
    }
  }
  return {};
}

std::vector<Trial> row_checks() {
  std::vector<RowCase> cases = {
      {"one token: (3, 4) times (1, 2)", {3, 4}, {1, 2}, 1, 0, 1, 0, {11}},
      {"three tokens", {3, 4}, {1, 2, 1, 0, 0, 1}, 3, 0, 1, 0, {11, 3, 4}},
      {"column 2 of 5; the others hold -77", {3, 4}, {1, 2, 1, 0}, 2, 2, 5, 0, {11, 3}},
      {"rows of x and y with gaps", {3, 4}, {1, 2, 1, 0, 0, 1}, 3, 1, 2, 3, {11, 3, 4}},
      {"no tokens", {3, 4}, {}, 0, 0, 1},
      {"five tokens: one more than four", {1, 2, 3}, random_floats(3, 15), 5, 0, 1},
      {"35 random tokens of 96 columns", random_floats(7, 96), random_floats(8, 35 * 96), 35, 7, 8, 5},
  };
  std::vector<Trial> checks =
      trials_of(std::move(cases), [](const std::string&, int, const RowCase& c) { return judge_row(c); });
  const std::string name = "a token has the same bits alone and in batches of 2 to 12";
  checks.push_back(step_check(name, judge_bits));
  return checks;
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {"dot product",
             "Write `my_dot()`: the sum of the products of two arrays.",
             10,
             {"With a single running sum, each addition waits for the one before it. How many sums can a "
              "vector register hold?",
              "Keep float sums[8]. In steps of eight columns, add the product of column i + k to sums[k], in "
              "an inner loop over k, which the compiler turns into vectors.",
              "Up to seven columns are left over. Add them in a loop of their own, and add up the eight sums "
              "at the end. A loop with a single sum passes, too, but it misses the goal of the lesson."},
             dot_checks};
  list[1] = {
      "one row",
      "Write `my_row()`: one row of W times all tokens.",
      2,
      {"The row of W has been converted once. Which loop makes use of that?",
       "For each t below x.rows, y.ptr<float>(t)[o] = my_dot(row, x.ptr<float>(t), x.cols).",
       "If the bits differ between batches, a token takes another path in a batch than alone. Every path "
       "must add the products of a token in the same order."},
      row_checks};
  list[2] = {
      "the product",
      "Write `mine()`: read every row of W once, and share the rows among the threads.",
      5,
      {"W can be in any of many formats. Which function makes them all the same?",
       "In the body of parallel_for(threads, weight.rows, ...), read row o into "
       "memory.of_this_thread<float>(), and call my_row() with it.",
       "Each thread then writes other columns of y, and no thread waits for another one. If two threads "
       "give wrong numbers and one does not, they use the same memory: ask for it inside the loop."},
      {},
      true};
  return list;
}

}  // namespace rung::linear
