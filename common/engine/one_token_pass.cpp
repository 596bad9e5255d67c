#include "engine/one_token_pass.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"

namespace rung {
namespace {

std::vector<float> floats(const Tensor& weight) {
  std::vector<float> numbers(static_cast<std::size_t>(weight.rows * weight.cols));
  for (std::int64_t row = 0; row < weight.rows; ++row) {
    traits(weight.dtype).to_float(weight.row(row), numbers.data() + row * weight.cols, weight.cols);
  }
  return numbers;
}

/// Moves the rows of a product whose heads keep their pairs in two halves, so that the numbers of a pair are
/// neighbors. Queries and keys are moved alike, which changes no score.
std::vector<float> with_adjacent_pairs(const ModelConfig& c, const std::vector<float>& weight) {
  if (c.rope_pairs == RopePairs::interleaved) return weight;
  const auto dim = static_cast<std::size_t>(c.dim), head_dim = static_cast<std::size_t>(c.head_dim);
  std::vector<float> moved(weight.size());
  for (std::size_t row = 0; row < weight.size() / dim; ++row) {
    const std::size_t in_head = row % head_dim;
    const std::size_t from = row - in_head + in_head / 2 + in_head % 2 * (head_dim / 2);
    std::copy_n(weight.begin() + static_cast<std::ptrdiff_t>(from * dim), dim,
                moved.begin() + static_cast<std::ptrdiff_t>(row * dim));
  }
  return moved;
}

/// Returns what the model has that the lesson's pass lacks; empty if that is nothing.
std::string what_is_missing(const Model& model, const RopeFrequencies& rope) {
  const ModelConfig& c = model.config;
  if (c.norm != NormKind::rms) return "layer norms";
  if (c.experts > 0) return "experts";
  if (!c.gated_ffn || c.activation != Activation::silu) return "another activation than SiLU";
  if (c.learned_positions || c.rotary_dim != c.head_dim)
    return "positions that RoPE does not express in full";
  if (rope.magnitude != 1) return "RoPE that scales queries and keys";
  const auto plain = [](const LayerAttention& a) {
    return a.window == 0 && a.rope == LayerAttention::Rope::global;
  };
  if (!std::all_of(c.layer_attention.begin(), c.layer_attention.end(), plain)) return "layers with a window";
  const double scale = 1 / std::sqrt(static_cast<double>(c.head_dim));
  if (std::fabs(c.attention_scale - scale) > 1e-6 * scale || c.attention_softcap != 0)
    return "other attention scores";
  if (c.embedding_scale != 1 || c.residual_scale != 1 || c.logit_scale != 1 || c.logit_softcap != 0)
    return "scales between its parts";
  for (const LayerWeights& w : model.weights.layers) {
    for (const Weight* weight : {&w.q, &w.k, &w.v, &w.attn_out, &w.gate, &w.up, &w.down}) {
      if (!weight->bias.empty()) return "biases";
    }
    if (!w.q_norm.empty() || !w.k_norm.empty() || !w.attn_post_norm.empty() || !w.ffn_post_norm.empty() ||
        w.attn_norm.empty() || w.ffn_norm.empty())
      return "other norms";
  }
  return "";
}

}  // namespace

std::shared_ptr<const PlainModel> plain_model(const Model& model, const RopeFrequencies& rope) {
  if (const std::string missing = what_is_missing(model, rope); !missing.empty()) {
    fail(
        "seam one_token computes plain models of the Llama family, but this model has {}; leave out --set "
        "one_token, or use the model tiny",
        missing);
  }
  const ModelConfig& c = model.config;
  PlainModel plain;
  plain.dim = c.dim;
  plain.heads = c.heads;
  plain.kv_heads = c.kv_heads;
  plain.head_dim = c.head_dim;
  plain.ffn_dim = c.ffn_dim;
  plain.vocab = c.vocab_size;
  plain.norm_eps = c.norm_eps;
  plain.radians = rope.radians;
  plain.embedding = floats(model.weights.token_embedding);
  for (const LayerWeights& w : model.weights.layers) {
    PlainLayer layer;
    layer.attn_norm = floats(w.attn_norm.weight);
    layer.q = with_adjacent_pairs(c, floats(w.q.weight));
    layer.k = with_adjacent_pairs(c, floats(w.k.weight));
    layer.v = floats(w.v.weight);
    layer.attn_out = floats(w.attn_out.weight);
    layer.ffn_norm = floats(w.ffn_norm.weight);
    layer.gate = floats(w.gate.weight);
    layer.up = floats(w.up.weight);
    layer.down = floats(w.down.weight);
    plain.layers.push_back(std::move(layer));
  }
  plain.output_norm = floats(model.weights.output_norm.weight);
  plain.output = floats(model.weights.output);
  return std::make_shared<const PlainModel>(std::move(plain));
}

OneTokenPass::OneTokenPass(std::unique_ptr<OneToken> rung, int vocab_size, int max_outputs)
    : rung_(std::move(rung)),
      vocab_size_(vocab_size),
      logits_(static_cast<std::size_t>(vocab_size) * static_cast<std::size_t>(max_outputs)) {}

Tensor OneTokenPass::forward(const Batch& batch, const Caches& /*caches*/, const Tensor& from, Leave to,
                             const Tap& /*tap*/) {
  if (batch.sequences.size() != 1 || !batch.ancestors.empty() || !from.empty() || to != Leave::logits)
    fail("a rung of seam one_token computes one text, from its tokens to logits; run one request at a time");
  const auto first = static_cast<std::size_t>(batch.positions.front());
  if (first > text_.size()) {
    fail("a rung of seam one_token was given the token at position {} after {} tokens; it needs every token",
         first, text_.size());
  }
  text_.resize(first);
  auto wanted = batch.output_rows.begin();
  float* to_row = logits_.data();
  for (std::size_t row = 0; row < batch.tokens.size(); ++row) {
    text_.push_back(batch.tokens[row]);
    if (wanted == batch.output_rows.end() || static_cast<std::size_t>(*wanted) != row) continue;
    const std::span<const float> logits = rung_->logits(text_);
    to_row = std::copy(logits.begin(), logits.end(), to_row);
    ++wanted;
  }
  return {logits_.data(), DType::f32, static_cast<std::int64_t>(batch.output_rows.size()), vocab_size_};
}

}  // namespace rung
