// The graded steps of the exercise: what to write, hints, and checks with round numbers, which a reader can
// verify on paper.

#include <string>
#include <utility>

#include "latency_throughput.hpp"

namespace rung::latency_throughput {
namespace {

using Numbers = std::vector<std::pair<std::string, double>>;  // names and values

/// A check that compares named numbers and reports the first one that is wrong.
Trial check(std::string name, std::string shape, Numbers expected,
            std::function<std::vector<double>()> actual) {
  return step_check(std::move(name), [=](const std::string& name) -> Verdict {
    const std::vector<double> got = actual();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& [what, value] = expected[i];
      if (!(std::fabs(got[i] - value) <= 1e-9 * value))
        return Verdict().fail(
            rung::mismatch(name, shape, what, fmt::format("{:.12g}", value), fmt::format("{:.12g}", got[i])));
    }
    return {};
  });
}

/// 100 bytes per second, 1,000 flops per second in products, 500 in attention. The layers take 4 s to read,
/// and 0.1 s per row to compute; the output matrix takes 1 s to read, and 0.04 s per row of logits.
StepCostConfig small() {
  StepCostConfig config;
  config.model.layer_bytes = 400;
  config.model.layer_weights = 50;
  config.model.output_bytes = 100;
  config.model.output_weights = 20;
  config.limits = {100, 1000, 500};
  return config;
}

std::vector<StepSequence> decode(int sequences, std::int32_t context = 10) {
  return std::vector<StepSequence>(static_cast<std::size_t>(sequences), StepSequence{1, context, true});
}

std::string shape_of(std::span<const StepSequence> batch) {
  return fmt::format("{} sequences, {} rows", batch.size(), step_rows(batch));
}

std::vector<Trial> product_checks() {
  const auto make = [](std::string name, const StepCostConfig& config, std::vector<StepSequence> batch,
                       double seconds) {
    return check(std::move(name), shape_of(batch), {{"seconds", seconds}},
                 [=] { return std::vector{my_products(config, batch)}; });
  };
  StepCostConfig mixture = small();
  mixture.model.expert_bytes = 800;
  mixture.model.expert_share = 0.5;
  return {
      make("one token: 4 s to read the layers, 1 s to read the output matrix", small(), decode(1), 5),
      make("60 sequences: 6 s and 2.4 s to compute", small(), decode(60), 8.4),
      make("30 sequences: 4 s to read the layers, 1.2 s to compute the output matrix", small(), decode(30),
           5.2),
      make("a prompt of 50 tokens needs one row of logits: 5 s and 1 s", small(), {{50, 50, true}}, 6),
      make("a chunk of 50 tokens needs no logits: 5 s", small(), {{50, 200, false}}, 5),
      make("a chunk of 40 tokens, and one sequence that decodes: 4.1 s and 1 s", small(),
           {{40, 40, false}, {1, 9, true}}, 5.1),
      make("experts: one token reads 400 of their 800 bytes", mixture, decode(1), 9),
      make("experts: two tokens read 600 of their 800 bytes", mixture, decode(2), 11),
  };
}

std::vector<Trial> pair_checks() {
  const auto make = [](std::string name, std::int32_t query_count, std::int32_t context_length, int window,
                       double pairs) {
    return check(std::move(name),
                 fmt::format("{} new of {} tokens, window {}", query_count, context_length, window),
                 {{"pairs", pairs}}, [=] {
                   return std::vector{my_pairs({query_count, context_length, true}, window)};
                 });
  };
  return {
      make("the first token sees itself", 1, 1, 0, 1),
      make("a prompt of 4 tokens: 1 + 2 + 3 + 4", 4, 4, 0, 10),
      make("one new token sees the whole context", 1, 10, 0, 10),
      make("the last 3 of 10 tokens: 8 + 9 + 10", 3, 10, 0, 27),
      make("one new token sees a window of 4", 1, 10, 4, 4),
      make("a prompt that is longer than the window: 1 + 2 + 3 + 4 + 4 + 4", 6, 6, 4, 18),
      make("a chunk that crosses the window: 3 + 4 + 4", 3, 5, 4, 11),
      make("a window that is longer than the context: 8 + 9 + 10", 3, 10, 100, 27),
      make("a window of one token", 5, 9, 1, 5),
      make("a prompt of 100,000 tokens: more pairs than 32 bits can count", 100'000, 100'000, 0,
           5'000'050'000),
  };
}

std::vector<Trial> step_checks() {
  const auto make = [](std::string name, std::vector<StepAttention> attention,
                       std::vector<StepSequence> batch, double products, double seconds) {
    StepCostConfig config = small();
    config.model.attention = std::move(attention);
    return check(std::move(name), shape_of(batch),
                 {{"seconds of products", products}, {"seconds of attention", seconds}}, [=] {
                   const StepSeconds got = mine(config, batch);
                   return std::vector{got.products, got.attention};
                 });
  };
  // 0.1 s to read a token, and 0.04 s to compute a pair.
  const StepAttention full = {0, 10, 20}, windowed = {4, 10, 20};
  return {
      make("no attention", {}, decode(1), 5, 0),
      make("one token: 1 s to read 10 tokens", {full}, decode(1), 5, 1),
      make("a prompt of 10 tokens: 2.2 s to compute 55 pairs", {full}, {{10, 10, true}}, 5, 2.2),
      make("one token and a prompt: 1 s and 2.2 s", {full}, {{1, 10, true}, {10, 10, true}}, 5, 3.2),
      make("one token reads 10 tokens in one kind of layers and 4 in the other", {full, windowed}, decode(1),
           5, 1.4),
      make("a chunk of 4 tokens: 1.36 s to compute 34 pairs, 0.7 s to read 7 tokens", {full, windowed},
           {{4, 10, false}}, 4, 2.06),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(3);
  list[0] = {
      "products",
      "Write `my_products()`: the seconds of the layers and of the output matrix.",
      7,
      {"The layers can be limited by reading while the output matrix is limited by computing. Which of the "
       "two comes first, the sum or the maximum?",
       "rows = step_rows(batch) and outputs = step_outputs(batch). A chunk in the middle of a prompt has no "
       "outputs. What does it pay for the output matrix?",
       "layers = std::max(layer_bytes(m, rows) / read_bytes_per_s, 2 * m.layer_weights * rows / "
       "product_flops_per_s). If outputs is above 0, add the same expression with output_bytes, "
       "output_weights "
       "and outputs."},
      product_checks};
  list[1] = {
      "pairs",
      "Write `my_pairs()`: count the pairs of a new token and a token that it sees.",
      5,
      {"Which position does the first new token have, and how many tokens does it see?",
       "Loop over the positions from context_length - query_count to context_length - 1. Position p adds "
       "p + 1 pairs, or `window` if this is less.",
       "A window of 0 means that there is none. Add up in a double: an int cannot hold the pairs of a long "
       "prompt."},
      pair_checks};
  list[2] = {
      "attention",
      "Write `mine()`: the products, and attention for each sequence and each kind of layer.",
      10,
      {"A decode reads more than it computes, and a prompt computes more than it reads. Does the longer of "
       "two sums equal the sum of the two longer ones?",
       "Two loops, over `batch` and over config.model.attention. Add the longer of two times to `attention` "
       "in "
       "the inner loop.",
       "std::max(layers.kv_bytes * keys_read(s, layers.window) / read_bytes_per_s, layers.flops_per_pair * "
       "my_pairs(s, layers.window) / attention_flops_per_s)"},
      step_checks,
      true};
  return list;
}

}  // namespace rung::latency_throughput
