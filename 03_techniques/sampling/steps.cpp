// The graded steps of the exercise: what to write, hints, and checks with known answers.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/rng.hpp"
#include "sampling.hpp"

namespace rung::sampling {
namespace {

Trial probabilities(std::string name, std::vector<float> logits, double temperature,
                    std::vector<double> expected = {}) {
  return step_check(std::move(name), [=](const std::string& what) {
    std::vector<double> right = expected;
    if (right.empty()) {
      const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
      double sum = 0;
      for (const float x : logits) sum += std::exp((static_cast<double>(x) - largest) / temperature);
      for (const float x : logits)
        right.push_back(std::exp((static_cast<double>(x) - largest) / temperature) / sum);
    }
    std::vector<double> got(logits.size(), std::nan(""));
    my_probabilities(logits, temperature, got);
    const std::vector<float> rounded(got.begin(), got.end());
    return compare(what, {{"logit", static_cast<std::int64_t>(logits.size())}}, rounded, right,
                   std::vector<double>{1e-6});
  });
}

std::vector<Trial> probability_checks() {
  Rng rng(5);
  std::vector<float> random(1000);
  for (float& x : random) x = static_cast<float>(4 * rng.normal());
  return {
      probabilities("one logit", {3}, 1, {1}),
      probabilities("equal logits", {2, 2, 2, 2}, 1, {0.25, 0.25, 0.25, 0.25}),
      probabilities("0 and ln 3", {0, 1.0986123F}, 1, {0.25, 0.75}),
      probabilities("temperature 0.5 doubles the differences: 0 and ln 3", {0, 1.0986123F}, 0.5, {0.1, 0.9}),
      probabilities("temperature 2 halves the differences: 0 and ln 9", {0, 2.1972246F}, 2, {0.25, 0.75}),
      probabilities("logits in the thousands", {5000, 4999, 4000}, 1),
      probabilities("logits in the thousands, temperature 0.5", {5000, 4999, 4000}, 0.5),
      probabilities("logits 20, 19.99 and 18, temperature 0.01: the largest x / T is subtracted from x / T",
                    {20, 19.99F, 18}, 0.01),
      probabilities("logits below minus one thousand", {-5000, -4999, -6000}, 1),
      probabilities("1,000 random logits, temperature 0.7", random, 0.7),
  };
}

std::vector<Choice> choices_of(const std::vector<double>& probabilities) {
  std::vector<Choice> choices;
  for (const double p : probabilities)
    choices.push_back({static_cast<std::int32_t>(10 * choices.size() + 3), p});
  return choices;
}

Trial drawn(std::string name, std::vector<double> probabilities, double u, std::int32_t expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    const std::vector<Choice> choices = choices_of(probabilities);
    const std::int32_t got = my_draw(choices, u);
    if (got == expected) return Verdict();
    return Verdict().fail(mismatch(what, fmt::format("{} choices", choices.size()), fmt::format("u {}", u),
                                   fmt::format("id {}", expected), fmt::format("id {}", got)));
  });
}

std::vector<Trial> draw_checks() {
  const std::vector<double> three = {0.2, 0.5, 0.3};
  const std::vector<double> sevenths(7, 1.0 / 7);
  return {
      drawn("ids 3, 13, 23 with 0.2, 0.5, 0.3; u = 0", three, 0, 3),
      drawn("u = 0.1 is in the first interval", three, 0.1, 3),
      drawn("u = 0.2 is where the second interval begins", three, 0.2, 13),
      drawn("u = 0.69 is in the second interval", three, 0.69, 13),
      drawn("u = 0.9 is in the last interval", three, 0.9, 23),
      drawn("a choice of probability 0 is never drawn", {0, 1}, 0, 13),
      drawn("seven times 1/7 adds up to less than this u", sevenths, std::nextafter(1.0, 0.0), 63),
      drawn("one choice", {1}, 0.5, 3),
  };
}

Trial nucleus(std::string name, std::vector<double> probabilities, double top_p,
              std::vector<std::int32_t> expected) {
  return step_check(std::move(name), [=](const std::string& what) {
    std::vector<Choice> choices = choices_of(probabilities);
    // Memory after the end, so that an answer that does not stop there keeps too many choices and does not
    // crash.
    choices.resize(choices.size() + 1, {-1, 1});
    choices.pop_back();
    my_top_p(choices, top_p);
    std::vector<std::int32_t> got;
    for (const Choice& choice : choices) got.push_back(choice.id);
    if (got == expected) return Verdict();
    const auto text = [](const std::vector<std::int32_t>& ids) {
      std::string list;
      for (const std::int32_t id : ids) list += fmt::format("{}{}", list.empty() ? "" : ", ", id);
      return fmt::format("ids {}", list.empty() ? "(none)" : list);
    };
    return Verdict().fail(mismatch(what, fmt::format("{} choices", probabilities.size()),
                                   fmt::format("top_p {}", top_p), text(expected), text(got)));
  });
}

std::vector<Trial> nucleus_checks() {
  return {
      nucleus("0.5 alone reaches 0.5", {0.2, 0.5, 0.3}, 0.5, {13}),
      nucleus("0.5 and 0.3 reach 0.75: the token that crosses it stays", {0.2, 0.5, 0.3}, 0.75, {13, 23}),
      nucleus("all are needed for 0.9", {0.2, 0.5, 0.3}, 0.9, {3, 13, 23}),
      nucleus("a tiny top_p keeps the most probable token", {0.2, 0.5, 0.3}, 1e-9, {13}),
      nucleus("32 times 1/32: of equal tokens, the lower ids stay", std::vector<double>(32, 1.0 / 32), 0.125,
              {3, 13, 23, 33}),
      nucleus("the result is in ascending order of ids", {0.1, 0.2, 0.3, 0.4}, 0.85, {13, 23, 33}),
      nucleus("seven times 1/7 adds up to less than this top_p", std::vector<double>(7, 1.0 / 7),
              std::nextafter(1.0, 0.0), {3, 13, 23, 33, 43, 53, 63}),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {"probabilities",
             "Write `my_probabilities()`: the softmax of the logits, divided by the temperature.",
             7,
             {"exp(5000) overflows. Which number can you subtract from all logits without changing the "
              "probabilities?",
              "Subtract the largest logit, divide by the temperature, and take std::exp. Sum the results in "
              "the same loop.",
              "A second loop divides every probability by the sum."},
             probability_checks};
  list[1] = {"draw",
             "Write `my_draw()`: the token whose interval of the cumulative sum contains u.",
             6,
             {"The probabilities are the lengths of intervals that fill [0, 1). Which interval contains u?",
              "Add up the probabilities. The first sum above u names the token.",
              "Seven times 1/7 adds up to 0.9999999999999998. If u is not below the last sum, return the "
              "last token."},
             draw_checks};
  list[2] = {"top-p",
             "Write `my_top_p()`: the smallest set of most probable tokens that reaches top_p.",
             9,
             {"The probabilities 0.4 and 0.3 do not reach 0.75. If your loop stops there, does it keep the "
              "third token?",
              "Sort by probability, and by id among equals. Add up from the front while the sum is below "
              "top_p. Each token that you add is kept.",
              "Sort the kept tokens by id at the end. A comparison that looks at probabilities only leaves "
              "equal tokens in any order."},
             nucleus_checks,
             true};
  return list;
}

}  // namespace rung::sampling
