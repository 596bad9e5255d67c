// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rng.hpp"
#include "oracle.hpp"

namespace rung::one_token {
namespace {

using oracle::Numbers;

/// A check: my_answer(out) fills `out`, which begins as NaN, and the result is compared with `expected`.
Trial check(std::string name, Numbers expected, std::function<void(std::span<float>)> my_answer) {
  return step_check(std::move(name), [=](const std::string& name) {
    std::vector<float> out(expected.size(), std::nanf(""));
    my_answer(out);
    Numbers tolerance;
    for (const double x : expected) tolerance.push_back(1e-5 * (1 + std::fabs(x)));
    return compare(name, {{"number", static_cast<std::int64_t>(expected.size())}}, out, expected, tolerance);
  });
}

/// What a check of the whole pass looks at: the logits, or the keys or values of the first layer.
struct Look {
  const char* number;  // what one of the numbers is called
  std::span<const float> (*at)(std::span<const KeysValues> cache, std::span<const float> logits);
};

/// A check of my_token_pass(): computes all tokens of `text` and compares what `look` shows with that of
/// token_pass(), which the topic's test holds against the oracle.
Trial pass_check(std::string name, std::shared_ptr<const PlainModel> model, std::vector<std::int32_t> text,
                 Look look) {
  return step_check(std::move(name), [=](const std::string& name) {
    const auto run = [&](TokenPass pass, std::vector<KeysValues>& cache, std::vector<float>& logits) {
      for (std::size_t position = 0; position < text.size(); ++position)
        pass(*model, text[position], static_cast<int>(position), cache, logits);
      return look.at(cache, logits);
    };
    std::vector<KeysValues> mine(model->layers.size()), right(model->layers.size());
    std::vector<float> my_logits(static_cast<std::size_t>(model->vocab), std::nanf("")), logits = my_logits;
    const std::span<const float> got = run(my_token_pass, mine, my_logits);
    const std::span<const float> wanted = run(token_pass, right, logits);
    Verdict verdict;
    if (got.size() != wanted.size()) {
      return verdict.fail(mismatch(name, counted(text.size(), "token"),
                                   fmt::format("{}s in the array", look.number),
                                   std::to_string(wanted.size()), std::to_string(got.size())));
    }
    return compare(name, {{look.number, static_cast<std::int64_t>(got.size())}}, got,
                   Numbers(wanted.begin(), wanted.end()), std::vector<double>{1e-4});
  });
}

std::vector<float> random_numbers(Rng& rng, std::size_t n, double magnitude = 1) {
  std::vector<float> numbers(n);
  for (float& x : numbers) x = static_cast<float>(magnitude * rng.normal());
  return numbers;
}

Numbers widened(const std::vector<float>& x) { return {x.begin(), x.end()}; }

std::vector<Trial> norm_checks() {
  const auto make = [](const std::string& name, std::vector<float> x, std::vector<float> weight, float eps) {
    Numbers expected = oracle::norm(widened(x), weight, static_cast<double>(eps));
    return check(name, std::move(expected), [=](std::span<float> out) { my_norm(x, weight, eps, out); });
  };
  Rng rng(1);
  std::vector<Trial> checks = {
      check("x = 3, 4 with weights 1: the mean square is 12.5", {3 / std::sqrt(12.5), 4 / std::sqrt(12.5)},
            [](std::span<float> out) {
              my_norm(std::vector<float>{3, 4}, std::vector<float>{1, 1}, 0, out);
            }),
      make("x = 3, 4 with weights 2, -1", {3, 4}, {2, -1}, 0),
      make("x = 0, 0, 0 with eps 0.01", {0, 0, 0}, {1, 1, 1}, 0.01F),
      make("x = 0.001, -0.002 with eps 0.00001, which is inside the root", {1e-3F, -2e-3F}, {1, 1}, 1e-5F),
      make("256 random numbers", random_numbers(rng, 256), random_numbers(rng, 256), 1e-5F),
  };
  return checks;
}

std::vector<Trial> product_checks() {
  const auto make = [](std::size_t rows, std::size_t cols) {
    Rng rng(rows);
    const std::vector<float> matrix = random_numbers(rng, rows * cols), x = random_numbers(rng, cols);
    return check(fmt::format("a random matrix [{}, {}]", rows, cols), oracle::product(matrix, widened(x)),
                 [=](std::span<float> out) { my_product(matrix, x, out); });
  };
  return {
      check("[[1, 2, 3], [4, 5, 6]] times (1, 0, -1)", {-2, -2},
            [](std::span<float> out) {
              my_product(std::vector<float>{1, 2, 3, 4, 5, 6}, std::vector<float>{1, 0, -1}, out);
            }),
      check("[[1, 2, 3], [4, 5, 6]] times (1, 10, 100)", {321, 654},
            [](std::span<float> out) {
              my_product(std::vector<float>{1, 2, 3, 4, 5, 6}, std::vector<float>{1, 10, 100}, out);
            }),
      make(1, 7),
      make(7, 1),
      make(64, 256),
  };
}

std::vector<Trial> rotate_checks() {
  const auto make = [](const std::string& name, std::vector<double> radians, int position,
                       std::vector<float> head) {
    Numbers expected = oracle::rotated(radians, position, widened(head));
    return check(name, std::move(expected), [=](std::span<float> out) {
      std::copy(head.begin(), head.end(), out.begin());
      my_rotate(radians, position, out);
    });
  };
  Rng rng(3);
  std::vector<double> radians;
  for (int i = 0; i < 16; ++i) radians.push_back(std::pow(10000.0, -2.0 * i / 32));
  return {
      make("1, 2, 3, 4 at position 0: nothing changes", {1, 0.1}, 0, {1, 2, 3, 4}),
      check("a quarter turn: the pair (1, 0) becomes (0, 1)", {0, 1},
            [](std::span<float> out) {
              out[0] = 1, out[1] = 0;
              my_rotate(std::vector<double>{std::numbers::pi / 2}, 1, out);
            }),
      make("1, 2, 3, 4 at position 2, with 1 and 0.1 radians per position", {1, 0.1}, 2, {1, 2, 3, 4}),
      make("a head of 32 numbers at position 1,000, where the angle must be a double", radians, 1000,
           random_numbers(rng, 32)),
  };
}

/// Checks of one head with keys and values of `stride` numbers per position, of which the head has the first.
Trial attention_check(const std::string& name, std::vector<float> query, std::vector<float> keys,
                      std::vector<float> values, int stride) {
  const std::size_t positions = keys.size() / static_cast<std::size_t>(stride);
  std::vector<Numbers> head_keys, head_values;
  for (std::size_t p = 0; p < positions; ++p) {
    const auto at = static_cast<std::ptrdiff_t>(p) * stride, size = static_cast<std::ptrdiff_t>(query.size());
    head_keys.emplace_back(keys.begin() + at, keys.begin() + at + size);
    head_values.emplace_back(values.begin() + at, values.begin() + at + size);
  }
  Numbers expected = oracle::attention(widened(query), head_keys, head_values);
  return check(name, std::move(expected), [=](std::span<float> out) {
    my_attention(query, keys.data(), values.data(), stride, static_cast<int>(positions), out);
  });
}

std::vector<Trial> attention_checks() {
  Rng rng(4);
  std::vector<float> large = random_numbers(rng, 2 * 32, 100);
  return {
      attention_check("one position: its value 7, 8 comes out", {1, 1}, {5, 5}, {7, 8}, 2),
      attention_check("two equal keys: the mean of the values 1, 2 and 5, 10", {1, 1}, {2, 3, 2, 3},
                      {1, 2, 5, 10}, 2),
      attention_check("query 1, 0 and keys 2, 0 and 0, 0: the larger score gets more weight", {1, 0},
                      {2, 0, 0, 0}, {1, 1, 0, 0}, 2),
      attention_check("head_dim 2 and stride 4: the other two numbers belong to another head", {1, 2},
                      {1, 0, 9, 9, 0, 1, 9, 9}, {1, 2, 9, 9, 3, 4, 9, 9}, 4),
      attention_check("all scores below -200", {100, 100}, {-2, -1, -2, -1.01F}, {1, 2, 5, 10}, 2),
      attention_check("scores in the thousands", {100, 100}, large, random_numbers(rng, 64), 2),
      attention_check("100 positions of a head of 32", random_numbers(rng, 32), random_numbers(rng, 6400),
                      random_numbers(rng, 6400), 64),
  };
}

std::vector<Trial> feed_forward_checks() {
  const auto make = [](const std::string& name, PlainLayer layer, std::vector<float> x) {
    Numbers expected = oracle::feed_forward(layer, widened(x));
    return check(name, std::move(expected), [=](std::span<float> out) { my_feed_forward(layer, x, out); });
  };
  const auto random = [](std::uint64_t seed, std::size_t dim, std::size_t ffn_dim) {
    Rng rng(seed);
    PlainLayer layer;
    layer.gate = random_numbers(rng, ffn_dim * dim, 0.3);
    layer.up = random_numbers(rng, ffn_dim * dim, 0.3);
    layer.down = random_numbers(rng, dim * ffn_dim, 0.3);
    return layer;
  };
  PlainLayer one;
  one.gate = {1}, one.up = {3}, one.down = {10};
  Rng rng(5);
  return {
      make("W_gate = 1, W_up = 3, W_down = 10, x = 2", one, {2}),
      make("W_gate = 1, W_up = 3, W_down = 10, x = -5: a negative gate lets little through", one, {-5}),
      make("dim 4, ffn_dim 12", random(1, 4, 12), random_numbers(rng, 4)),
      make("dim 64, ffn_dim 160", random(2, 64, 160), random_numbers(rng, 64)),
  };
}

std::vector<Trial> pass_checks() {
  const auto model = [](int layers) { return random_model(11, layers, 8, 2, 1, 4, 12, 16); };
  const auto without = [&](std::vector<float> PlainLayer::*matrix) {
    PlainModel changed = *model(1);
    std::fill((changed.layers[0].*matrix).begin(), (changed.layers[0].*matrix).end(), 0.0f);
    return std::make_shared<const PlainModel>(std::move(changed));
  };
  const Look logits = {"logit", [](std::span<const KeysValues>, std::span<const float> all) { return all; }};
  const Look keys = {"key number", [](std::span<const KeysValues> cache, std::span<const float>) {
                       return std::span<const float>(cache[0].keys);
                     }};
  const Look values = {"value number", [](std::span<const KeysValues> cache, std::span<const float>) {
                         return std::span<const float>(cache[0].values);
                       }};
  return {
      pass_check("the logits of a model without layers: embedding, norm, output", model(0), {3}, logits),
      pass_check("one layer, tokens 3, 1, 4: the values in cache[0]", model(1), {3, 1, 4}, values),
      pass_check("one layer, tokens 3, 1, 4: the keys in cache[0]", model(1), {3, 1, 4}, keys),
      pass_check("one layer with W_down = 0, so without its feed-forward block, token 3: the logits",
                 without(&PlainLayer::down), {3}, logits),
      pass_check("one layer with W_down = 0, tokens 3, 1, 4: the logits", without(&PlainLayer::down),
                 {3, 1, 4}, logits),
      pass_check("one layer with W_out = 0, so without its attention, token 3: the logits",
                 without(&PlainLayer::attn_out), {3}, logits),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(6);
  list[0] = {"norm",
             "Write `my_norm()`: scale a vector by its root mean square and a weight.",
             5,
             {"Which single number do you need from x before you can compute any element of out?",
              "Sum the squares in a loop, divide by x.size(), add eps, and take 1 / std::sqrt of that.",
              "out[i] = x[i] * scale * weight[i] with scale = 1 / std::sqrt(sum / x.size() + eps)."},
             norm_checks};
  list[1] = {"product",
             "Write `my_product()`: a matrix times a vector.",
             7,
             {"How many numbers does a row of the matrix have, and how do you get this from the parameters?",
              "Row r begins at matrix[r * x.size()]. Sum row[c] * x[c] over c.",
              "Two loops: the outer one over out.size(), the inner one over x.size()."},
             product_checks};
  list[2] = {"rotate",
             "Write `my_rotate()`: rotate the pairs of a head by angles in proportion to the position.",
             8,
             {"Both new numbers of a pair need both old ones. What happens if you overwrite the first one "
              "too early?",
              "Pair i has the numbers head[2 * i] and head[2 * i + 1]. Copy both before you write.",
              "Compute the angle in double: at position 1,000, a float angle has lost three digits."},
             rotate_checks};
  list[3] = {
      "attention",
      "Write `my_attention()`: scores, softmax, and the weighted sum of values, for one head.",
      17,
      {"The softmax needs the largest score, and then the sum of all exponentials. In how many loops over p?",
       "Keep the scores in a std::vector<float> of `positions` numbers. Loop 1 fills it and finds the "
       "largest.",
       "Loop 2 replaces scores[p] by std::exp(scores[p] - largest) and adds it to sum. Loop 3 adds scores[p] "
       "/ sum * "
       "values[p * stride + d] to out[d], which must begin at 0."},
      attention_checks};
  list[4] = {
      "feed-forward",
      "Write `my_feed_forward()`: two products, the gate, and a product back.",
      7,
      {"ffn_dim is not a parameter. Which size tells it?",
       "ffn_dim = layer.gate.size() / x.size(). You need two vectors of that size, and my_product() three "
       "times.",
       "hidden[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i]; then my_product(layer.down, hidden, out)."},
      feed_forward_checks};
  list[5] = {
      "the whole pass",
      "Write `my_token_pass()`: the embedding, all layers, and the logits.",
      30,
      {"Which of the vectors lives from the first layer to the last, and which ones are new in each layer?",
       "Begin without the layers: copy the row of the embedding, norm it, and multiply it by model.output. "
       "The first "
       "check passes then. Add the keys and values, then attention, then the feed-forward block.",
       "Insert k and v at the end of cache[i].keys and cache[i].values before any head attends: the token "
       "sees itself. "
       "There are position + 1 positions then, and the stride is kv_heads * head_dim.",
       "Query head h reads the KV head g = h / (heads / kv_heads): its keys begin at cache[i].keys.data() + "
       "g * head_dim. "
       "It writes head_dim numbers at h * head_dim of a vector of heads * head_dim numbers, which attn_out "
       "maps back to dim."},
      pass_checks,
      true};
  return list;
}

}  // namespace rung::one_token
