// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <cmath>
#include <memory>
#include <utility>

#include "core/guarded_buffer.hpp"
#include "core/rng.hpp"
#include "exercise.hpp"

namespace rung::attention {
namespace {

using Numbers = std::vector<double>;

std::vector<float> random_numbers(Rng& rng, std::size_t n, double magnitude = 1) {
  std::vector<float> numbers(n);
  for (float& x : numbers) x = static_cast<float>(magnitude * rng.normal());
  return numbers;
}

/// A check: my_answer(out) fills `out`, which begins as `before` or, if that is empty, as NaN.
Trial check(const std::string& name, const char* unit, Numbers expected, Numbers tolerance,
            std::vector<float> before, std::function<void(float* out)> my_answer) {
  return step_check(name, [=](const std::string& name) {
    const auto n = static_cast<std::int64_t>(expected.size());
    GuardedBuffer out(1, n);
    std::copy(before.begin(), before.end(), out.tensor().ptr<float>(0));
    my_answer(out.tensor().ptr<float>(0));
    try {
      out.check_guards();
    } catch (const Error& error) {
      return Verdict().fail(rung::mismatch(name, fmt::format("{} {}", n, unit), "outside the result",
                                           fmt::format("{} numbers written", n), error.what()));
    }
    return compare(name, {{unit, n}}, out.values(), expected, tolerance);
  });
}

/// What a made-up row sees. `stored` has its keys in checks of the scores, and its values in checks of the
/// weighted sum: [visible, head_dim].
struct RowCase {
  std::string name;
  std::vector<float> stored;
  int visible = 1;
  float scale = 1, softcap = 0;
  int block = 0;  // slots per block of the cache; 0: contiguous
  int first = 0;  // position of key 0
  DType type = DType::f32;
};

/// A RowCase in the memory of a cache. Whatever the row must not read is NaN: its neighbors' columns, the
/// positions before and after the visible ones, and the values in checks of keys, or the other way around.
class MadeRow {
 public:
  explicit MadeRow(const RowCase& c) : case_(c), head_dim_(static_cast<int>(c.stored.size()) / c.visible) {
    const int positions = c.first + c.visible + 3;
    const int block = c.block > 0 ? c.block : positions;
    const int blocks = (positions + block - 1) / block;
    for (int b = 0; b < blocks; ++b) table_.push_back(blocks - b);  // in reverse; block 0 is unused
    if (c.block == 0) base_ = block;
    kv_ = {table_.data(), c.block > 0 ? std::countr_zero(static_cast<unsigned>(c.block)) : 30, base_};
    if (c.block == 0) table_[0] = 0;

    column_ = bytes_of(c.type, head_dim_);
    stride_ = 3 * column_;  // the KV head in the middle of three
    // Twice as many slots as needed: code that ignores the table reads NaN.
    cache_.assign(static_cast<std::size_t>((2 * blocks + 1) * block) * stride_, std::byte{0xff});
    nothing_ = cache_;
    for (int p = 0; p < c.visible; ++p) {
      std::byte* place = cache_.data() + column_ + static_cast<std::size_t>(kv_.slot(c.first + p)) * stride_;
      traits(c.type).from_float(c.stored.data() + std::ptrdiff_t{p} * head_dim_, place, head_dim_);
    }
  }

  MadeRow(const MadeRow&) = delete;  // kv_ points into table_

  /// The vectors as the cache holds them, rounded to its format.
  std::vector<float> rounded() const {
    std::vector<std::byte> bytes(column_);
    std::vector<float> result(case_.stored.size());
    for (std::size_t at = 0; at < result.size(); at += static_cast<std::size_t>(head_dim_)) {
      traits(case_.type).from_float(case_.stored.data() + at, bytes.data(), head_dim_);
      traits(case_.type).to_float(bytes.data(), result.data() + at, head_dim_);
    }
    return result;
  }

  /// The row, whose keys (or else values) are the stored vectors. It points into this object, q, out and
  /// widened [2, head_dim].
  HeadRow row(bool keys, const float* q, float* out, std::vector<float>& widened) const {
    widened.assign(2 * static_cast<std::size_t>(head_dim_), std::nanf(""));
    const std::byte* here = cache_.data() + column_;
    const std::byte* elsewhere = nothing_.data() + column_;
    return {.q = q,
            .keys = keys ? here : elsewhere,
            .values = keys ? elsewhere : here,
            .key_stride = stride_,
            .value_stride = stride_,
            .table = kv_,
            .first = case_.first,
            .type = case_.type,
            .head_dim = head_dim_,
            .widened = widened.data(),
            .visible = case_.visible,
            .out = out,
            .lse = nullptr,
            .scale = case_.scale,
            .softcap = case_.softcap};
  }

  int head_dim() const { return head_dim_; }
  int visible() const { return case_.visible; }

 private:
  RowCase case_;
  int head_dim_;
  std::vector<std::int32_t> table_;
  std::int64_t base_ = 0;
  KvTable kv_{};
  std::size_t column_ = 0, stride_ = 0;  // bytes of a vector, and from one slot to the next
  std::vector<std::byte> cache_, nothing_;
};

Trial score_check(const RowCase& c, const std::vector<float>& q) {
  const auto made = std::make_shared<const MadeRow>(c);
  const std::vector<float> keys = made->rounded();
  Numbers expected, tolerance;
  for (std::size_t p = 0; p < static_cast<std::size_t>(c.visible); ++p) {
    double product = 0, size = 0;
    for (std::size_t d = 0; d < q.size(); ++d) {
      const double term = double{q[d]} * double{keys[p * q.size() + d]};
      product += term;
      size += std::fabs(term);
    }
    const double scaled = double{c.scale} * product, cap = double{c.softcap};
    expected.push_back(cap > 0 ? cap * std::tanh(scaled / cap) : scaled);
    tolerance.push_back(4e-6 * double{c.scale} * size + 1e-6 * cap);
  }
  return check(c.name, "score", expected, tolerance, {}, [made, q](float* scores) {
    std::vector<float> widened, out(q.size(), std::nanf(""));
    my_scores(made->row(true, q.data(), out.data(), widened), scores);
  });
}

std::vector<Trial> score_checks() {
  Rng rng(1);
  const std::vector<float> narrow = random_numbers(rng, 5 * std::size_t{32});
  const std::vector<float> random = random_numbers(rng, 130 * std::size_t{80});
  return {
      score_check({"q (1, 2), keys (3, 4) and (5, -1): scores 11 and 3", {3, 4, 5, -1}, 2}, {1, 2}),
      score_check({"one visible key, the row's own", {5, 6, 7}, 1}, {1, 0, -1}),
      score_check({"scale 0.5", {3, 4, 5, -1}, 2, 0.5F}, {1, 2}),
      score_check({"soft cap 2: a product of 100 becomes a score of 2", {2, 100, -100}, 3, 1, 2}, {1}),
      score_check({"a window: key 0 is the key of position 3", {1, 2, 3, 4}, 4, 1, 0, 0, 3}, {10}),
      score_check({"blocks of 2 slots, which are not in order", {1, 2, 3, 4, 5}, 5, 1, 0, 2}, {10}),
      score_check({"keys in q8_0", narrow, 5, 0.25F, 0, 4, 1, DType::q8_0}, random_numbers(rng, 32)),
      score_check({"130 random keys of 80 numbers", random, 130, 0.1118034F}, random_numbers(rng, 80)),
  };
}

Trial softmax_check(const std::string& name, std::vector<float> scores) {
  double largest = -HUGE_VAL, sum = 0;
  for (const float s : scores) largest = std::max(largest, double{s});
  for (const float s : scores) sum += std::exp(double{s} - largest);
  Numbers expected, tolerance;
  for (const float s : scores) {
    expected.push_back(std::exp(double{s} - largest) / sum);
    tolerance.push_back(1e-5 * expected.back() + 1e-9);
  }
  const int n = static_cast<int>(scores.size());
  return check(name, "weight", expected, tolerance, std::move(scores), [n](float* x) { my_softmax(x, n); });
}

std::vector<Trial> softmax_checks() {
  Rng rng(2);
  const auto ln3 = static_cast<float>(std::log(3.0));
  return {
      softmax_check("one score: its weight is 1", {-7}),
      softmax_check("scores 0 and ln 3: weights 1/4 and 3/4", {0, ln3}),
      softmax_check("four equal scores: 1/4 each", {2, 2, 2, 2}),
      softmax_check("scores in the thousands: 1000, 999, 998", {1000, 999, 998}),
      softmax_check("all scores far below zero: -1000, -1001", {-1000, -1001}),
      softmax_check("the largest score is the last one", {-3000, 0, 3000}),
      softmax_check("4,096 equal scores", std::vector<float>(4096, 0.5F)),
      softmax_check("500 random scores", random_numbers(rng, 500, 3)),
      softmax_check("500 random scores in the thousands", random_numbers(rng, 500, 1000)),
  };
}

Trial sum_check(const RowCase& c, const std::vector<float>& weights) {
  const auto made = std::make_shared<const MadeRow>(c);
  const std::vector<float> values = made->rounded();
  const auto head_dim = static_cast<std::size_t>(made->head_dim());
  Numbers expected(head_dim), size(head_dim);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double term = double{weights[i / head_dim]} * double{values[i]};
    expected[i % head_dim] += term;
    size[i % head_dim] += std::fabs(term);
  }
  for (double& x : size) x *= 4e-6;
  return check(c.name, "dim", expected, size, {}, [made, weights, head_dim](float* out) {
    std::vector<float> widened;
    const std::vector<float> q(head_dim, std::nanf(""));
    my_weighted_sum(made->row(false, q.data(), out, widened), weights.data());
  });
}

std::vector<Trial> sum_checks() {
  Rng rng(3);
  const std::vector<float> narrow = random_numbers(rng, 5 * std::size_t{32});
  const std::vector<float> random = random_numbers(rng, 200 * std::size_t{96});
  std::vector<float> weights = random_numbers(rng, 200);
  for (float& w : weights) w = w * w / 200;
  return {
      sum_check({"one value with weight 1", {3, -4}, 1}, {1}),
      sum_check({"1/4 of (4, 8) and 3/4 of (0, 4): (1, 5)", {4, 8, 0, 4}, 2}, {0.25F, 0.75F}),
      sum_check({"weights 0, 1 and 0: the value in the middle", {1, 2, 3, 4, 5, 6, 7, 8, 9}, 3}, {0, 1, 0}),
      sum_check({"a window: value 0 is the value of position 3", {1, 2, 3, 4}, 4, 1, 0, 0, 3},
                {0.1F, 0.2F, 0.3F, 0.4F}),
      sum_check({"blocks of 2 slots, which are not in order", {1, 2, 3, 4, 5}, 5, 1, 0, 2},
                {0.1F, 0.1F, 0.2F, 0.2F, 0.4F}),
      sum_check({"values in q8_0", narrow, 5, 1, 0, 4, 1, DType::q8_0}, {0.5F, 0.2F, 0.1F, 0.1F, 0.1F}),
      sum_check({"200 random values of 96 numbers", random, 200}, weights),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(4);
  list[0] = {"scores",
             "Write `my_scores()`: the score of every key that one row sees.",
             6,
             {"Which keys does a row see, and is its own key among them?",
              "A key has row.head_dim numbers. Call row.key(p) once per key, because a cache in a narrow "
              "format converts the whole key each time.",
              "Two loops. The inner one adds up row.q[d] * key[d] in `product`, with key = row.key(p); then "
              "scores[p] = row.score(product)."},
             score_checks};
  list[1] = {
      "softmax",
      "Write `my_softmax()`: turn scores into weights that add up to 1, without overflow.",
      7,
      {"std::exp(1000.0f) is infinity. What can you subtract from all scores so that the weights stay "
       "the same?",
       "The largest score cannot begin as 0, because all scores may be negative. Begin with scores[0].",
       "Find the largest score. Replace every score by std::exp(scores[p] - largest) and add it to "
       "`sum`. Divide every score by `sum`."},
      softmax_checks};
  list[2] = {"weighted sum",
             "Write `my_weighted_sum()`: the weighted sum of the values that one row sees.",
             5,
             {"row.out contains arbitrary numbers before the call. What has to happen before the first "
              "addition?",
              "Loop over the values outside and over d inside, so that you call row.value(p) once per value.",
              "std::fill_n(row.out, row.head_dim, 0.0f); then row.out[d] += weights[p] * value[d] with "
              "value = row.value(p)."},
             sum_checks};
  list[3] = {"all tokens and heads",
             "Write `mine()`: the three steps for every token and every head of the batch.",
             8,
             {"Where can the scores of a row stand, and how many rows can be in progress at the same time?",
              "Two loops, over call.tokens() and call.config.heads, are correct. In the inner one: "
              "row = call.row(t, h), scores = call.scratch(), and the three functions.",
              "With threads: parallel_for_dynamic(call.config.threads, call.tokens() * heads, "
              "[&](std::int64_t i) { ... }), where i / heads is the token and i % heads is the head. Call "
              "call.scratch() inside, because it returns the memory of the thread that calls it."},
             {},
             true};
  return list;
}

}  // namespace rung::attention
