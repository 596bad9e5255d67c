// The graded steps of the exercise: what to write, hints, and checks whose answers a reader can verify on
// paper.

#include <string>
#include <utility>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

using Counts = std::vector<std::pair<std::string, std::uint64_t>>;  // names and values

/// A check that compares named numbers and reports the first one that is wrong.
Trial check(std::string name, std::string shape, Counts expected,
            std::function<std::vector<std::uint64_t>()> actual) {
  return step_check(std::move(name), [=](const std::string& name) -> Verdict {
    const std::vector<std::uint64_t> got = actual();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& [what, value] = expected[i];
      if (got[i] != value)
        return Verdict().fail(
            rung::mismatch(name, shape, what, std::to_string(value), std::to_string(got[i])));
    }
    return {};
  });
}

KvLayer heads(int kv_heads, int dim, int window = 0) { return {kv_heads, dim, dim, 0, 0, window}; }

std::vector<Trial> layer_checks() {
  const auto make = [](std::string name, const KvLayer& layer, DType type, std::uint64_t expected) {
    return check(std::move(name), "1 layer", {{"bytes per token", expected}},
                 [=] { return std::vector{my_layer_bytes(layer, type)}; });
  };
  return {
      make("Llama 3 8B: 8 KV heads of 128 numbers, f16", heads(8, 128), DType::f16, 4096),
      make("Llama 2 7B: 32 KV heads of 128 numbers, f16", heads(32, 128), DType::f16, 16384),
      make("2 KV heads with keys of 24 numbers and values of 16, f32", {2, 24, 16, 0, 0, 0}, DType::f32, 320),
      make("Falcon 7B: 1 KV head of 64 numbers, q8_0, whose blocks of 32 numbers have 34 bytes", heads(1, 64),
           DType::q8_0, 136),
      make("DeepSeek-V3: a latent of 512 numbers and a rotated key of 64, bf16", {0, 0, 0, 512, 64, 0},
           DType::bf16, 1152),
      make("a latent is kept instead of the keys and values of 128 heads", {128, 192, 128, 512, 64, 0},
           DType::f16, 1152),
      make("a layer without attention", {}, DType::f16, 0),
  };
}

std::vector<Trial> block_checks() {
  const auto make = [](std::string name, int window, std::int32_t length, int block, std::uint64_t expected) {
    return check(std::move(name), fmt::format("{} tokens, window {}, blocks of {}", length, window, block),
                 {{"tokens", expected}},
                 [=] { return std::vector{my_taken_tokens(heads(1, 64, window), length, block)}; });
  };
  return {
      make("no window, one token", 0, 1, 16, 16),
      make("no window, a block that is exactly full", 0, 16, 16, 16),
      make("no window, one token in the second block", 0, 17, 16, 32),
      make("a sequence of 0 tokens", 0, 0, 5, 0),
      make("blocks of one token", 7, 100, 1, 7),
      make("the picture of the lesson: positions 6 to 13 touch the blocks 1 to 3", 8, 14, 4, 12),
      make("positions 8 to 15: the window begins where a block begins", 8, 16, 4, 8),
      make("the window is not full yet", 8, 5, 4, 8),
      make("the window is longer than the sequence, which has one block", 1000, 3, 4, 4),
      make("a window of 2 tokens on both sides of a boundary", 2, 65, 64, 128),
      make("a window of one token: the last position alone", 1, 6, 5, 5),
  };
}

/// 64 bytes per token in a layer that sees the whole text, 16 bytes in one with a window of 4 tokens, and a
/// layer without attention.
KvPlanConfig small(int reserve, int block_tokens, std::uint64_t budget = 0) {
  KvPlanConfig config;
  config.shape.layers = {heads(2, 8), heads(1, 4, 4), {}};
  config.type = DType::f16;
  config.reserve = reserve;
  config.block_tokens = block_tokens;
  config.budget = budget;
  return config;
}

std::vector<Trial> sequence_checks() {
  const auto make = [](std::string name, const KvPlanConfig& config, std::int32_t length, std::uint64_t used,
                       std::uint64_t taken) {
    return check(std::move(name), fmt::format("{} tokens, {} layers", length, config.shape.layers.size()),
                 {{"used", used}, {"taken", taken}}, [=] {
                   const SequenceBytes bytes = my_sequence_bytes(config, length);
                   return std::vector{bytes.used, bytes.taken};
                 });
  };
  KvPlanConfig llama = small(0, 16);
  llama.shape.layers.assign(32, heads(32, 128));
  return {
      make("3 tokens of 64 + 16 + 0 bytes (the third layer has no attention), blocks of one token",
           small(0, 1), 3, 240, 240),
      make("10 tokens: the second layer reads 4 of them", small(0, 1), 10, 704, 704),
      make("10 tokens in blocks of 4: the layers take 12 and 8 tokens", small(0, 4), 10, 704, 896),
      make("20 tokens are reserved in every layer, also in the one with a window", small(20, 1), 10, 704,
           1600),
      make("20 tokens are reserved for a sequence of 0 tokens", small(20, 1), 0, 0, 1600),
      make("a sequence of 0 tokens takes no block", small(0, 4), 0, 0, 0),
      make("Llama 2 7B, blocks of 16: more bytes than 32 bits can count", llama, 10'001, 5'243'404'288,
           5'251'268'608),
  };
}

std::vector<Trial> plan_checks() {
  const auto make = [](std::string name, const KvPlanConfig& config, std::vector<std::int32_t> lengths,
                       const KvPlan& plan) {
    return check(
        std::move(name), fmt::format("{} sequences, {} layers", lengths.size(), config.shape.layers.size()),
        {{"per_token", plan.per_token}, {"used", plan.used}, {"taken", plan.taken}, {"batch", plan.batch}},
        [=] {
          const KvPlan got = mine(config, lengths);
          return std::vector{got.per_token, got.used, got.taken, got.batch};
        });
  };
  return {
      make("3, 10 and 5 tokens, blocks of 4: two sequences of 10 tokens take 1792 bytes", small(0, 4, 1792),
           {3, 10, 5}, {80, 1328, 1856, 2}),
      make("3, 10 and 5 tokens: the budget is one byte less than two sequences of 10 tokens take",
           small(0, 4, 1791), {3, 10, 5}, {80, 1328, 1856, 1}),
      make("no budget", small(0, 4), {10}, {80, 704, 896, 0}),
      make("no sequences", small(0, 4, 1792), {}, {80, 0, 0, 0}),
      make("two sequences of 0 tokens", small(0, 4, 1792), {0, 0}, {80, 0, 0, 0}),
  };
}

}  // namespace

std::vector<ExerciseStep> steps() {
  std::vector<ExerciseStep> list(4);
  list[0] = {
      "bytes per token",
      "Write `my_layer_bytes()`: what a layer keeps per token, with heads or with a latent.",
      3,
      {"How many numbers are one key and one value of one head, if values can be narrower than keys?",
       "Heads: kv_heads * (key_dim + value_dim) numbers. A latent replaces all of them: latent + rotary_key.",
       "Give the number of all numbers to bytes_of(type, n). The bytes of a single number do not exist in "
       "q8_0, "
       "which stores 32 numbers in 34 bytes."},
      layer_checks};
  list[1] = {"blocks",
             "Write `my_taken_tokens()`: the positions in all blocks that the newest tokens touch.",
             5,
             {"Which position is the first one in the window, and which one is the last?",
              "Position p is in block p / block. The held positions are length - held to length - 1.",
              "If length is 0, return 0. Otherwise, first = (length - held) / block, last = (length - 1) / "
              "block, and "
              "the result is (last - first + 1) * block."},
             block_checks};
  list[2] = {"one sequence",
             "Write `my_sequence_bytes()`: what a sequence uses and takes in all layers.",
             8,
             {"Which of the two sums depends on config.reserve?",
              "Both are sums over config.shape.layers of a number of tokens times my_layer_bytes(layer, "
              "config.type).",
              "used: held_tokens(layer, length). taken: config.reserve if it is above 0, and otherwise "
              "my_taken_tokens(layer, length, config.block_tokens)."},
             sequence_checks};
  list[3] = {"the plan",
             "Write `mine()`: the bytes of all sequences, and the largest batch that fits.",
             12,
             {"Two sequences as long as the longest one need twice its memory. How many fit into the budget, "
              "and what "
              "if this memory is 0?",
              "Add up my_sequence_bytes() over all lengths, and keep the longest length, which begins at 0.",
              "batch = config.budget / my_sequence_bytes(config, longest).taken; if this memory is 0, leave "
              "the batch at "
              "0. Nothing else divides."},
             plan_checks,
             true};
  return list;
}

}  // namespace rung::kv_cache_analysis
