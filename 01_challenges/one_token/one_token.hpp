#pragma once
// What the rungs of lesson 0 share: the arrays in which keys and values are kept, and the pass of one token.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/registry.hpp"
#include "seams/one_token.hpp"

namespace rung::one_token {

/// The keys and values of one layer, for the positions 0 .. n - 1 of a text: [n, kv_heads * head_dim] each.
struct KeysValues {
  std::vector<float> keys, values;
};

/// Computes one token of a text: appends its key and value to cache[layer] for every layer, and writes the
/// logits [vocab] of the token that follows it. REQUIRES: `cache` has one entry per layer, which contains the
/// positions 0 .. position - 1.
using TokenPass = void (*)(const PlainModel& model, std::int32_t token, int position,
                           std::span<KeysValues> cache, std::span<float> logits);

/// The pass in matrix notation (token_pass.cpp).
void token_pass(const PlainModel& model, std::int32_t token, int position, std::span<KeysValues> cache,
                std::span<float> logits);

/// What a rung does with the keys and values that it computed for an earlier text.
enum class Keep : std::uint8_t { nothing, common_prefix };

/// Makes a rung from a pass: calls it for each token of the text that the kept keys and values do not cover.
std::unique_ptr<OneToken> make_rung(OneTokenConfig config, TokenPass pass, Keep keep);

std::unique_ptr<OneToken> recompute(const OneTokenConfig& config);
std::unique_ptr<OneToken> kv_cache(const OneTokenConfig& config);

// The exercise, mine.cpp: one function per step. The vectors of all parameters have the sizes that the
// comments give; `out` never overlaps an input.
void my_norm(std::span<const float> x, std::span<const float> weight, float eps, std::span<float> out);
void my_product(std::span<const float> matrix, std::span<const float> x, std::span<float> out);
void my_rotate(std::span<const double> radians, int position, std::span<float> head);
void my_attention(std::span<const float> query, const float* keys, const float* values, int stride,
                  int positions, std::span<float> out);
void my_feed_forward(const PlainLayer& layer, std::span<const float> x, std::span<float> out);
void my_token_pass(const PlainModel& model, std::int32_t token, int position, std::span<KeysValues> cache,
                   std::span<float> logits);

std::vector<Trial> trials(const Ladder<OneToken>& ladder);
std::vector<ExerciseStep> steps();
void register_rungs(Registry& registry);

/// Returns a model with random weights.
std::shared_ptr<const PlainModel> random_model(std::uint64_t seed, int layers, int dim, int heads,
                                               int kv_heads, int head_dim, int ffn_dim, int vocab);

}  // namespace rung::one_token
