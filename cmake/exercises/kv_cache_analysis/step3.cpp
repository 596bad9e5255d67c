// The first 3 steps of one right answer to the exercise of 01_challenges/kv_cache_analysis.

#include <algorithm>

#include "kv_plan.hpp"

namespace rung::kv_cache_analysis {
namespace {

[[noreturn, maybe_unused]] void not_started(const char* function) {
  throw NotStarted(
      fmt::format("{} is not started: write it in 01_challenges/kv_cache_analysis/mine.cpp", function));
}

}  // namespace

// Step 1. Returns how many bytes a layer keeps per token. bytes_of(type, n) of common/core/dtype.hpp returns
// the bytes of n numbers in the format `type`. layer_bytes() of kv_plan.hpp does the same as this function;
// write the formula yourself. Test: kv_cache_analysis.mine.1
//   with a latent (layer.latent > 0)   layer.latent + layer.rotary_key numbers
//   otherwise                          layer.kv_heads keys of layer.key_dim numbers each, and as many values
//                                      of layer.value_dim numbers each
// A layer without attention has 0 KV heads and no latent, and keeps 0 bytes.
std::uint64_t my_layer_bytes(const KvLayer& layer, DType type) {
  std::int64_t numbers = std::int64_t{layer.kv_heads} * (layer.key_dim + layer.value_dim);
  if (layer.latent > 0) numbers = layer.latent + layer.rotary_key;
  return bytes_of(type, numbers);
}

// Step 2. Returns for how many positions a layer takes memory for a sequence of `length` tokens. The sequence
// has the positions 0 .. length - 1. Memory is divided into blocks of `block` positions: block 0 has the
// positions 0 .. block - 1, and so on. The layer takes every block that contains at least one of the newest
// `held` positions, and no other. held_tokens(layer, length) of kv_plan.hpp returns `held`: the window, or
// `length` if the layer has no window or a longer one. The result is a multiple of `block`; it is 0 for a
// sequence of 0 tokens. Test: kv_cache_analysis.mine.2
std::uint64_t my_taken_tokens(const KvLayer& layer, std::int32_t length, int block) {
  if (length == 0) return 0;
  const auto size = static_cast<std::uint64_t>(block), end = static_cast<std::uint64_t>(length);
  const std::uint64_t first = (end - held_tokens(layer, length)) / size;
  const std::uint64_t last = (end - 1) / size;
  return (last - first + 1) * size;
}

// Step 3. Returns what one sequence of `length` tokens needs in all layers together. Test:
// kv_cache_analysis.mine.3
//   used    the bytes of the held tokens of every layer, which its newest token reads
//   taken   the bytes that every layer takes: of config.reserve tokens if config.reserve > 0, whatever the
//           length and the window are; otherwise of the tokens of step 2 with blocks of config.block_tokens
SequenceBytes my_sequence_bytes(const KvPlanConfig& config, std::int32_t length) {
  SequenceBytes sum;
  for (const KvLayer& layer : config.shape.layers) {
    const std::uint64_t bytes = my_layer_bytes(layer, config.type);
    sum.used += held_tokens(layer, length) * bytes;
    sum.taken += bytes * (config.reserve > 0 ? static_cast<std::uint64_t>(config.reserve)
                                             : my_taken_tokens(layer, length, config.block_tokens));
  }
  return sum;
}

// Step 4. Returns the plan for sequences of these lengths. Test: kv_cache_analysis.mine.4
//   plan.per_token      the bytes that one token adds in all layers together
//   plan.used, .taken   the sums over all sequences
//   plan.batch          how many sequences like the longest one fit into config.budget bytes, according to
//                       what they take; 0 if the longest one takes no memory. If the list is empty, the
//                       longest one has 0 tokens.
KvPlan mine([[maybe_unused]] const KvPlanConfig& config,
            [[maybe_unused]] std::span<const std::int32_t> lengths) {
  not_started("mine()");
}

}  // namespace rung::kv_cache_analysis
