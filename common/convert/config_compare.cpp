// Checks whether a written configuration describes the same computation as the model for which it was
// written.

#include <cmath>

#include "convert/config_write.hpp"
#include "core/error.hpp"
#include "model/families.hpp"
#include "model/rope.hpp"

namespace rung {
namespace {

constexpr double kRounding = 1e-5;  // a float32 through a text, or a formula

class Comparison {
 public:
  template <class T>
  void same(const char* what, T is, T should_be) {
    if (is != should_be) differ(what, is, should_be);
  }
  void close(const std::string& what, double is, double should_be) {
    const double scale = std::max(std::fabs(is), std::fabs(should_be));
    if (!(std::fabs(is - should_be) <= kRounding * scale)) differ(what, is, should_be);
  }
  const std::string& first() const { return first_; }

 private:
  template <class T>
  void differ(const std::string& what, T is, T should_be) {
    if (first_.empty()) first_ = fmt::format("{} is {}, not {}", what, is, should_be);
  }
  std::string first_;
};

void compare_rope(Comparison& c, const std::string& what, const RopeConfig& is, const RopeConfig& should_be,
                  int rotary_dim, int context) {
  // The frequencies themselves: GGUF says some of them in another way.
  for (const int length : {std::min(context, should_be.original_context), context}) {
    const RopeFrequencies a = rope_frequencies(is, rotary_dim, length),
                          b = rope_frequencies(should_be, rotary_dim, length);
    c.close(what + "'s magnitude", a.magnitude, b.magnitude);
    for (std::size_t i = 0; i < b.radians.size(); ++i)
      c.close(fmt::format("{}'s frequency {} for {} tokens", what, i, length), a.radians[i], b.radians[i]);
  }
}

}  // namespace

std::string config_difference(const ModelConfig& is, const ModelConfig& should_be) {
  Comparison c;
  c.same("architecture", is.architecture, should_be.architecture);
  c.same("vocab_size", is.vocab_size, should_be.vocab_size);
  c.same("dim", is.dim, should_be.dim);
  c.same("layers", is.layers, should_be.layers);
  c.same("heads", is.heads, should_be.heads);
  c.same("kv_heads", is.kv_heads, should_be.kv_heads);
  c.same("head_dim", is.head_dim, should_be.head_dim);
  c.same("ffn_dim", is.ffn_dim, should_be.ffn_dim);
  c.same("context_length", is.context_length, should_be.context_length);
  c.close("norm_eps", is.norm_eps, should_be.norm_eps);
  c.same("the kind of norm", static_cast<int>(is.norm), static_cast<int>(should_be.norm));
  c.same("the activation", static_cast<int>(is.activation), static_cast<int>(should_be.activation));
  c.same("gated_ffn", is.gated_ffn, should_be.gated_ffn);
  c.same("experts", is.experts, should_be.experts);
  c.same("experts_per_token", is.experts_per_token, should_be.experts_per_token);
  if (should_be.experts != 0)
    c.same("normalize_expert_weights", is.normalize_expert_weights, should_be.normalize_expert_weights);
  c.same("rotary_dim", is.rotary_dim, should_be.rotary_dim);
  c.same("learned_positions", is.learned_positions, should_be.learned_positions);
  c.same("layers", is.layer_attention.size(), should_be.layer_attention.size());
  if (!c.first().empty()) return c.first();
  bool local = false;
  for (std::size_t i = 0; i < should_be.layer_attention.size(); ++i) {
    const LayerAttention &a = is.layer_attention[i], &b = should_be.layer_attention[i];
    c.same(fmt::format("the window of layer {}", i).c_str(), a.window, b.window);
    c.same(fmt::format("the RoPE of layer {}", i).c_str(), static_cast<int>(a.rope),
           static_cast<int>(b.rope));
    local = local || b.rope == LayerAttention::Rope::local;
  }
  if (should_be.rotary_dim != 0) {
    compare_rope(c, "RoPE", is.rope, should_be.rope, should_be.rotary_dim, should_be.context_length);
    if (local)
      compare_rope(c, "the windows' RoPE", is.rope_local, should_be.rope_local, should_be.rotary_dim,
                   should_be.context_length);
  }
  c.close("attention_scale", is.attention_scale, should_be.attention_scale);
  c.close("attention_softcap", is.attention_softcap, should_be.attention_softcap);
  c.close("embedding_scale", is.embedding_scale, should_be.embedding_scale);
  c.close("residual_scale", is.residual_scale, should_be.residual_scale);
  c.close("logit_scale", is.logit_scale, should_be.logit_scale);
  c.close("logit_softcap", is.logit_softcap, should_be.logit_softcap);
  c.same("tied_embeddings", is.tied_embeddings, should_be.tied_embeddings);
  return c.first();
}

}  // namespace rung
