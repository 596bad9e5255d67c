#include "model/model_config.hpp"

#include "core/error.hpp"
#include "model/families.hpp"

namespace rung {
namespace {

void check_size(const char* field, int value, int most) {
  if (value < 1 || value > most) {
    fail("the model's configuration cannot be: {} is {}; 1 to {} are allowed", field, value, most);
  }
}

void check_number(const char* field, float value, float least, float most) {
  if (!(value >= least && value <= most)) {  // refuses NaN too
    fail("the model's configuration cannot be: {} is {}; {} to {} are allowed", field, value, least, most);
  }
}

void check_factors(const char* field, const std::vector<float>& factors, int rotary_dim, bool needed) {
  if (factors.empty() && !needed) return;
  if (factors.size() != static_cast<std::size_t>(rotary_dim / 2)) {
    fail("the model's configuration cannot be: {} has {} numbers, {} (half of rotary_dim) are needed", field,
         factors.size(), rotary_dim / 2);
  }
  for (const float factor : factors) check_number(field, factor, 1e-6f, 1e9f);
}

void check_rope(const RopeConfig& rope, int rotary_dim) {
  check_number("rope_theta", rope.theta, 1.0f, 1e12f);
  check_number("the RoPE scaling factor", rope.factor, 1e-3f, 1e6f);
  check_number("the RoPE attention factor", rope.attention_factor, 1e-3f, 1e3f);
  const bool is_long = rope.scaling == RopeScaling::longrope;
  check_factors("the RoPE frequency factors", rope.factors, rotary_dim, is_long);
  check_factors("the RoPE frequency factors for long contexts", rope.long_factors, rotary_dim, is_long);
  if (rope.scaling == RopeScaling::none || rope.scaling == RopeScaling::linear) return;
  check_size("the original context of RoPE scaling", rope.original_context, 1 << 26);
  if (rope.scaling == RopeScaling::llama3) {
    check_number("RoPE's low_freq_factor", rope.low_freq_factor, 1e-3f, 1e6f);
    // Equal ones would divide by zero between them.
    check_number("RoPE's high_freq_factor", rope.high_freq_factor, rope.low_freq_factor * 1.0001f, 1e6f);
  }
  if (rope.scaling == RopeScaling::yarn) {
    check_number("rope_theta for YaRN", rope.theta, 1.001f, 1e12f);
    check_number("YaRN's beta_slow", rope.beta_slow, 1e-3f, 1e6f);
    check_number("YaRN's beta_fast", rope.beta_fast, rope.beta_slow, 1e6f);
  }
}

}  // namespace

// The limits are some ten times what the largest published models have, and small enough that no product of
// two of them leaves the range of a 64-bit integer.
void ModelConfig::validate() const {
  check_size("vocab_size", vocab_size, 1 << 22);
  check_size("dim (the embedding length)", dim, 1 << 18);
  check_size("layers (the block count)", layers, 2048);
  check_size("heads", heads, 4096);
  check_size("kv_heads", kv_heads, heads);
  if (heads % kv_heads != 0) {
    fail("the model's configuration cannot be: {} heads do not divide into {} KV heads", heads, kv_heads);
  }
  check_size("head_dim", head_dim, 4096);
  check_size("ffn_dim (the feed-forward length)", ffn_dim, 1 << 21);
  if (experts != 0 || (family != nullptr && family->weights.has(Role::router))) {
    check_size("experts (of a layer)", experts, 1024);
    check_size("experts_per_token", experts_per_token, experts);
  }
  check_size("context_length", context_length, 1 << 26);
  if (rotary_dim != 0) check_size("rotary_dim", rotary_dim, head_dim);
  if (rotary_dim % 2 != 0) {
    fail("the model's configuration cannot be: rotary_dim is {}, but elements are rotated in pairs",
         rotary_dim);
  }
  check_rope(rope, rotary_dim);
  check_rope(rope_local, rotary_dim);
  if (layer_attention.size() != static_cast<std::size_t>(layers)) {
    fail("the model's configuration cannot be: it describes the attention of {} layers, but has {}",
         layer_attention.size(), layers);
  }
  for (const LayerAttention& layer : layer_attention) {
    if (layer.window != 0) check_size("the sliding window", layer.window, 1 << 26);
  }
  check_number("norm_eps", norm_eps, 1e-12f, 1.0f);
  check_number("attention_scale", attention_scale, 1e-6f, 1e3f);
  check_number("attention_softcap", attention_softcap, 0.0f, 1e6f);
  check_number("embedding_scale", embedding_scale, 1e-6f, 1e6f);
  check_number("residual_scale", residual_scale, 1e-6f, 1e6f);
  check_number("logit_scale", logit_scale, 1e-6f, 1e6f);
  check_number("logit_softcap", logit_softcap, 0.0f, 1e6f);
}

}  // namespace rung
